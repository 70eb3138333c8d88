"""What an operator is told of Postgres and RabbitMQ beyond what a pod has."""

from collections.abc import Iterator

from tests.check.k8s import reading
from tests.check.k8s.builds import Object

type Objects = tuple[Object, ...]

HOST = "kubernetes.io/hostname"
FOR_A_CHECKPOINT_S = 30
DEFAULT_STOP_S, DEFAULT_SMART_S = 1800, 180  # CloudNativePG's own


def owner_keeps_what_it_makes(objects: Objects) -> Iterator[str]:
    """The owner may make roles, and no operator takes them from it: who manages a role revokes what is not declared."""
    for cluster in reading.of_kind(objects, "Cluster"):
        initdb = cluster["spec"]["bootstrap"]["initdb"]
        if f"ALTER ROLE {initdb['owner']} CREATEROLE" not in initdb.get("postInitSQL", ()):
            yield f"Cluster {reading.name_of(cluster)}: migrate could make no roles"
        for role in cluster["spec"].get("managed", {}).get("roles", ()):
            if role["name"] == initdb["owner"]:
                yield f"Cluster {reading.name_of(cluster)}: the next release could not change the roles of this one"


def postgres_stops_in_time(objects: Objects) -> Iterator[str]:
    """It does not wait for clients that never go, so that it has time for a checkpoint before it is killed."""
    for cluster in reading.of_kind(objects, "Cluster"):
        spec = cluster["spec"]
        given_s = spec.get("stopDelay", DEFAULT_STOP_S) - spec.get("smartShutdownTimeout", DEFAULT_SMART_S)
        if given_s < FOR_A_CHECKPOINT_S:
            yield f"Cluster {reading.name_of(cluster)}: has {given_s} s when it has sent its clients away"


def nodes_are_apart(objects: Objects) -> Iterator[str]:
    """No two of a store's pods are on one machine, or its loss would be two's."""
    for cluster in reading.of_kind(objects, "Cluster"):
        told = cluster["spec"].get("affinity", {})
        wanted = {"enablePodAntiAffinity": True, "podAntiAffinityType": "required", "topologyKey": HOST}
        if told != {**told, **wanted}:
            yield f"Cluster {reading.name_of(cluster)}: two of its pods may be on one machine"
    for cluster in reading.of_kind(objects, "RabbitmqCluster"):
        rules = cluster["spec"].get("affinity", {}).get("podAntiAffinity", {})
        own = {"app.kubernetes.io/name": reading.name_of(cluster)}  # as the operator labels its pods
        if not any(
            rule["topologyKey"] == HOST and reading.selects(rule["labelSelector"], own)
            for rule in rules.get("requiredDuringSchedulingIgnoredDuringExecution", ())
        ):
            yield f"RabbitmqCluster {reading.name_of(cluster)}: two of its pods may be on one machine"
