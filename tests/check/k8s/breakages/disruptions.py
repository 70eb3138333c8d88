"""Defects that policies/disruptions.py must notice."""

from tests.check.k8s.breakages.cases import Cases
from tests.check.k8s.breakages.changes import of, without
from tests.check.k8s.policies import disruptions

CASES: Cases = (
    (
        disruptions.every_role_has_one,
        "dev",
        {
            "no budget": without("PodDisruptionBudget", "relay"),
            "a budget for somebody else": of(
                "PodDisruptionBudget",
                "web",
                lambda each: each["spec"]["selector"].update(matchLabels={"app.kubernetes.io/name": "beat"}),
            ),
        },
    ),
    (
        disruptions.every_role_has_one,
        "production",
        {
            "no budget for RabbitMQ": without("PodDisruptionBudget", "rabbitmq"),
            "no budget for Postgres": of("Cluster", "postgres", lambda each: each["spec"].update(enablePDB=False)),
        },
    ),
    (
        disruptions.blocks_no_drain,
        "dev",
        {
            "nobody may go": of("PodDisruptionBudget", "web", lambda each: each["spec"].update(maxUnavailable=0)),
            "as many as there are must stay": of(
                "PodDisruptionBudget", "web", lambda each: each["spec"].update(minAvailable=2)
            ),
            "a broken pod keeps its node": of(
                "PodDisruptionBudget", "web", lambda each: each["spec"].pop("unhealthyPodEvictionPolicy")
            ),
        },
    ),
)
