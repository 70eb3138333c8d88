"""How many there are: enough connections for all of them, and no number that two would set."""

import re
from collections.abc import Iterator

from tests.check.k8s import reading
from tests.check.k8s.builds import ROOT, Object
from warren.config.provisioning.manifests import deployment
from warren.config.queues import QUEUES

type Objects = tuple[Object, ...]

SLOWEST_LOOK_BACK_S = 300
KEPT_FOR_SUPERUSERS = 3
OF_BEAT_AND_RELAY = 10  # warren.config.provisioning.database, the roles' own limit
OF_A_CLOCK = 3  # what one beat or relay may open: docs/how-to/kubernetes-scaling.md
OF_EXPORTER = 5  # the same


def each_queue_has_its_worker(objects: Objects) -> Iterator[str]:
    """What config/queues.py declares is served by one Deployment, of the class that it names, and nothing else is."""
    served: dict[str, list[reading.Workload]] = {}
    for each in reading.workloads(objects, "Deployment"):
        if each.labels.get("app.kubernetes.io/component") == "worker":
            for queue in reading.environment(each, objects).get("WORKER_QUEUES", "").split(","):
                served.setdefault(queue, []).append(each)
    yield from (f"queue {name}: nobody declared it" for name in served.keys() - {spec.name for spec in QUEUES})
    for spec in QUEUES:
        workers = served.get(spec.name, [])
        if [each.name for each in workers] != [deployment(spec)]:
            yield f"queue {spec.name}: is served by {[each.name for each in workers]}"
        elif workers[0].labels.get("worker-class") != spec.worker:
            yield f"queue {spec.name}: is not served by {spec.worker} workers"


def one_hand_on_the_number(objects: Objects) -> Iterator[str]:
    """Whoever an autoscaler scales says no number itself, has one autoscaler, and never becomes none."""
    targets = [name for name, *_ in _scaled(objects)]
    for name, least, most, _ in _scaled(objects):
        target = reading.named(objects, "Deployment", name)
        if target is None:
            yield f"an autoscaler scales {name}, which is not there"
            continue
        if "replicas" in target["spec"]:
            yield f"Deployment {name}: each release would set its number anew"
        if targets.count(name) > 1:
            yield f"Deployment {name}: two autoscalers pull at it"
        if least < 1 or most < least:
            yield f"Deployment {name}: may become none"
    for each in reading.workloads(objects, "Deployment"):
        if "replicas" not in each.object["spec"] and each.name not in targets:
            yield f"{each}: nobody says how many"


def scale_down_is_slow(objects: Objects) -> Iterator[str]:
    """Fewer only after five minutes of less, and one at a time: each that goes hands its work back."""
    for name, _, _, behaviour in _scaled(objects):
        down = behaviour.get("scaleDown", {})
        if down.get("stabilizationWindowSeconds", 0) < SLOWEST_LOOK_BACK_S:
            yield f"{name}: is made fewer after a moment's calm"
        if [policy["type"] == "Pods" and policy["value"] == 1 for policy in down.get("policies", ())] != [True]:
            yield f"{name}: several go at once"


def keda_asks_what_counts(objects: Objects) -> Iterator[str]:
    """One ScaledObject a queue: messages, those that run among them, and the oldest wait."""
    scaled = reading.of_kind(objects, "ScaledObject")
    if not scaled:
        return
    asked: dict[str, str] = {}
    for each in scaled:
        name = reading.name_of(each)
        triggers = {trigger["type"]: trigger["metadata"] for trigger in each["spec"]["triggers"]}
        length, wait = triggers.get("rabbitmq", {}), triggers.get("prometheus", {})
        asked[str(length.get("queueName"))] = each["spec"]["scaleTargetRef"]["name"]
        if length.get("protocol") != "http" or length.get("excludeUnacknowledged") != "false":
            yield f"{name}: a worker that is busy counts for nothing, and is taken away"
        if f'queue="{length.get("queueName")}"' not in wait.get("query", "") or "oldest_wait" not in wait.get(
            "query", ""
        ):
            yield f"{name}: does not ask how long the oldest has waited"
        if "fallback" not in each["spec"]:
            yield f"{name}: who asks nobody scales to the least"
        if any(trigger.get("metricType") != "AverageValue" for trigger in each["spec"]["triggers"]):
            yield f"{name}: its fallback counts for averages alone"
    if asked != {spec.name: deployment(spec) for spec in QUEUES}:
        yield f"the queues are scaled as {asked}"


def connections_suffice(objects: Objects) -> Iterator[str]:
    """All pods that there may be at once, a rollout's too, open no more than Postgres takes, and than each role may."""
    most = {name: number for name, _, number, _ in _scaled(objects)}
    taken = {"warren_web": 0, "warren_worker": 0}
    for each in reading.workloads(objects, "Deployment"):
        variables = reading.environment(each, objects)
        surge = each.object["spec"]["strategy"]["rollingUpdate"]["maxSurge"]
        pods = most.get(each.name, each.object["spec"].get("replicas", 1)) + surge
        if each.name in {"beat", "relay"} and pods * OF_A_CLOCK > OF_BEAT_AND_RELAY:
            yield f"{each}: its pods may open {pods * OF_A_CLOCK} connections, and it may have {OF_BEAT_AND_RELAY}"
        if variables.get("POSTGRES_USER") in taken:
            taken[variables["POSTGRES_USER"]] += pods * _connections(each, variables)
    migrate = next((each for each in reading.workloads(objects, "Job")), None)
    limit = int(reading.environment(migrate, objects).get("POSTGRES_ROLE_CONNECTIONS", 60)) if migrate else 60
    for role, number in taken.items():
        if number > limit:
            yield f"{role}: its pods may open {number} connections, and it may have {limit}"
    there = _max_connections(objects)
    others = 2 * OF_BEAT_AND_RELAY + KEPT_FOR_SUPERUSERS
    others += OF_EXPORTER if reading.named(objects, "Deployment", "postgres-exporter") else 0
    if there is not None and sum(taken.values()) + others > there:
        yield f"Postgres takes {there} connections, and {sum(taken.values())} may be asked for"


def _scaled(objects: Objects) -> list[tuple[str, int, int, Object]]:
    """Of each autoscaler: whom, the least, the most, and how."""
    found = []
    for each in reading.of_kind(objects, "ScaledObject"):
        spec = each["spec"]
        behaviour = spec.get("advanced", {}).get("horizontalPodAutoscalerConfig", {}).get("behavior", {})
        least, most = spec.get("minReplicaCount", 0), spec.get("maxReplicaCount", 100)
        found.append((spec["scaleTargetRef"]["name"], least, most, behaviour))
    for each in reading.of_kind(objects, "HorizontalPodAutoscaler"):
        spec = each["spec"]
        found.append(
            (spec["scaleTargetRef"]["name"], spec.get("minReplicas", 1), spec["maxReplicas"], spec.get("behavior", {}))
        )
    return found


def _connections(each: reading.Workload, variables: dict[str, str]) -> int:
    """What one pod may open: docs/how-to/pools-and-concurrency.md, and web for a moment one for /readyz."""
    pool = int(variables.get("DB_POOL_SIZE", 10))
    if each.name == "web":
        return int(variables["WEB_CONCURRENCY"]) * (pool + 1) + 1
    if variables.get("WORKER_POOL") == "prefork":
        cpus = reading.cores(each.main["resources"]["limits"]["cpu"])
        return int(variables.get("WORKER_CONCURRENCY") or -(-cpus // 1)) + 2
    return pool + 2


def _max_connections(objects: Objects) -> int | None:
    for cluster in reading.of_kind(objects, "Cluster"):
        return int(cluster["spec"]["postgresql"]["parameters"]["max_connections"])
    single = reading.named(objects, "StatefulSet", "postgres")
    if single is None:
        return None  # somebody else's
    said = re.search(r"max_connections=(\d+)", " ".join(single["spec"]["template"]["spec"]["containers"][0]["args"]))
    written = re.search(
        r"^max_connections = (\d+)", (ROOT / "services/postgres/postgresql.conf").read_text(), re.MULTILINE
    )
    found = said or written
    return int(found[1]) if found else None
