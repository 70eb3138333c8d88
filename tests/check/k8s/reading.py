"""How tests look at what was built."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.check.k8s.builds import Object

RUNS_PODS = ("Deployment", "StatefulSet", "Job", "CronJob")


@dataclass(frozen=True, kw_only=True)
class Workload:
    """An object that makes pods, and the pod that it makes."""

    kind: str
    name: str
    object: Object

    @property
    def template(self) -> Object:
        """Labels and all."""
        spec = self.object["spec"]
        template: Object = spec["jobTemplate"]["spec"]["template"] if self.kind == "CronJob" else spec["template"]
        return template

    @property
    def pod(self) -> Object:
        """Its spec."""
        spec: Object = self.template["spec"]
        return spec

    @property
    def labels(self) -> dict[str, str]:
        """Of its pods."""
        labels: dict[str, str] = self.template["metadata"]["labels"]
        return labels

    @property
    def containers(self) -> list[Object]:
        """All of them, the ones that run first too."""
        return [*self.pod.get("initContainers", ()), *self.pod["containers"]]

    @property
    def main(self) -> Object:
        """The one that does the work."""
        container: Object = self.pod["containers"][0]
        return container

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def of_kind(objects: Iterable[Object], *kinds: str) -> list[Object]:
    """Those of these kinds."""
    return [each for each in objects if each["kind"] in kinds]


def named(objects: Iterable[Object], kind: str, name: str) -> Object | None:
    """The one of this kind and name."""
    return next((each for each in of_kind(objects, kind) if name_of(each) == name), None)


def name_of(thing: Object) -> str:
    """As it is called in its namespace."""
    return str(thing["metadata"]["name"])


def workloads(objects: Iterable[Object], *kinds: str) -> list[Workload]:
    """What makes pods; without kinds all of it."""
    made = of_kind(objects, *(kinds or RUNS_PODS))
    return [Workload(kind=each["kind"], name=name_of(each), object=each) for each in made]


def selects(selector: Object, labels: dict[str, str]) -> bool:
    """Whether a label selector takes a pod with these labels; an empty one takes all."""
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    return all(_expression_holds(each, labels) for each in selector.get("matchExpressions", ()))


def _expression_holds(expression: Object, labels: dict[str, str]) -> bool:
    key, values = expression["key"], expression.get("values", ())
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
    raise ValueError(f"no such operator here: {expression['operator']}")


def environment(workload: Workload, objects: Iterable[Object], *, container: Object | None = None) -> dict[str, str]:
    """The variables that a container gets: from ConfigMaps, then its own, as Kubernetes lays them over each other."""
    found: dict[str, str] = {}
    objects = list(objects)
    for source in (container or workload.main).get("envFrom", ()):
        config = named(objects, "ConfigMap", source["configMapRef"]["name"])
        found |= config["data"] if config else {}
    for each in (container or workload.main).get("env", ()):
        if "value" in each:
            found[each["name"]] = each["value"]
        elif source := each.get("valueFrom", {}).get("configMapKeyRef"):
            config = named(objects, "ConfigMap", source["name"])
            found |= {each["name"]: config["data"][source["key"]]} if config else {}
    return found


def mebibytes(quantity: str | int) -> float:
    """Of a quantity of memory."""
    units = {"Ki": 1 / 1024, "Mi": 1.0, "Gi": 1024.0}
    text = str(quantity)
    return float(text[:-2]) * units[text[-2:]] if text[-2:] in units else float(text) / 2**20


def cores(quantity: str | int) -> float:
    """Of a quantity of CPU."""
    text = str(quantity)
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text)


def restarts_by_hash(objects: Iterable[Object]) -> Iterator[str]:
    """Names of ConfigMaps that carry no hash of their content, so that a change of them would go unnoticed."""
    for config in of_kind(objects, "ConfigMap"):
        if "-" not in name_of(config) or len(name_of(config).rpartition("-")[2]) != len("7t54tc87b4"):
            yield name_of(config)
