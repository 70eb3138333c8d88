"""Defects that policies/stores.py must notice."""

from typing import Any

from tests.check.k8s.breakages.cases import Cases
from tests.check.k8s.breakages.changes import of
from tests.check.k8s.policies import stores


def _apart(cluster: Any) -> Any:
    return cluster["spec"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][0]


CASES: Cases = (
    (
        stores.owner_keeps_what_it_makes,
        "production",
        {
            "an owner who makes nothing": of(
                "Cluster", "postgres", lambda each: each["spec"]["bootstrap"]["initdb"].pop("postInitSQL")
            ),
            "an owner whom the operator manages": of(
                "Cluster",
                "postgres",
                lambda each: each["spec"].update(managed={"roles": [{"name": "warren", "createrole": True}]}),
            ),
        },
    ),
    (
        stores.postgres_stops_in_time,
        "production",
        {
            "waits for clients as long as is usual": of(
                "Cluster", "postgres", lambda each: each["spec"].pop("smartShutdownTimeout")
            ),
        },
    ),
    (
        stores.nodes_are_apart,
        "production",
        {
            "RabbitMQ anywhere": of("RabbitmqCluster", "rabbitmq", lambda each: each["spec"].pop("affinity")),
            "RabbitMQ apart from somebody else": of(
                "RabbitmqCluster",
                "rabbitmq",
                lambda each: _apart(each).update(labelSelector={"matchLabels": {"app.kubernetes.io/name": "web"}}),
            ),
            "RabbitMQ that needs three zones": of(
                "RabbitmqCluster",
                "rabbitmq",
                lambda each: _apart(each).update(topologyKey="topology.kubernetes.io/zone"),
            ),
            "Postgres apart if it suits": of(
                "Cluster", "postgres", lambda each: each["spec"]["affinity"].update(podAntiAffinityType="preferred")
            ),
        },
    ),
)
