"""PodDisruptionBudgets: a drain takes one pod of a role at a time, and can always go on."""

from collections.abc import Iterator

from tests.check.k8s import reading
from tests.check.k8s.builds import Object

type Objects = tuple[Object, ...]


def every_role_has_one(objects: Objects) -> Iterator[str]:
    """Whoever has, or may have, several pods has one budget, which is for it alone."""
    budgets = reading.of_kind(objects, "PodDisruptionBudget")
    for each in reading.workloads(objects, "Deployment", "StatefulSet"):
        own = [budget for budget in budgets if reading.selects(budget["spec"]["selector"], each.labels)]
        several = each.object["spec"].get("replicas", 2) > 1
        if several and len(own) != 1:
            yield f"{each}: has {len(own)} budgets"
    if reading.of_kind(objects, "RabbitmqCluster") and not reading.named(objects, "PodDisruptionBudget", "rabbitmq"):
        yield "RabbitmqCluster rabbitmq: has no budget"
    for cluster in reading.of_kind(objects, "Cluster"):
        if not cluster["spec"].get("enablePDB"):
            yield f"Cluster {reading.name_of(cluster)}: has no budget"


def blocks_no_drain(objects: Objects) -> Iterator[str]:
    """One may always go, and a pod that is broken anyway may always go."""
    for budget in reading.of_kind(objects, "PodDisruptionBudget"):
        spec = budget["spec"]
        if spec.get("maxUnavailable") != 1 or "minAvailable" in spec:
            yield f"PodDisruptionBudget {reading.name_of(budget)}: may let nobody go"
        if spec.get("unhealthyPodEvictionPolicy") != "AlwaysAllow":
            yield f"PodDisruptionBudget {reading.name_of(budget)}: keeps a broken pod, and its node with it"
