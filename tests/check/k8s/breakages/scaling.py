"""Defects that policies/scaling.py must notice."""

from tests.check.k8s.breakages.cases import Cases
from tests.check.k8s.breakages.changes import of, of_deployment, settings, without
from tests.check.k8s.policies import scaling

CASES: Cases = (
    (
        scaling.each_queue_has_its_worker,
        "dev",
        {
            "nobody serves a queue": settings("worker-io", WORKER_QUEUES="cpu"),
            "a queue that nobody declared": settings("worker-io", WORKER_QUEUES="io,oi"),
        },
    ),
    (
        scaling.one_hand_on_the_number,
        "production",
        {
            "each release sets it anew": of_deployment("web", lambda each: each["spec"].update(replicas=2)),
            "may become none": of("ScaledObject", "worker-io", lambda each: each["spec"].update(minReplicaCount=0)),
            "two pull": of(
                "HorizontalPodAutoscaler",
                "web",
                lambda each: each["spec"]["scaleTargetRef"].update(name="worker-io"),
            ),
            "scales nobody": of(
                "ScaledObject", "worker-io", lambda each: each["spec"]["scaleTargetRef"].update(name="io")
            ),
        },
    ),
    (
        scaling.scale_down_is_slow,
        "production",
        {
            "after a moment": of(
                "HorizontalPodAutoscaler",
                "web",
                lambda each: each["spec"]["behavior"]["scaleDown"].pop("stabilizationWindowSeconds"),
            ),
            "half at once": of(
                "ScaledObject",
                "worker-io",
                lambda each: each["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"].update(
                    policies=[]
                ),
            ),
        },
    ),
    (
        scaling.keda_asks_what_counts,
        "production",
        {
            "running jobs do not count": of(
                "ScaledObject",
                "worker-io",
                lambda each: each["spec"]["triggers"][0]["metadata"].update(excludeUnacknowledged="true"),
            ),
            "over AMQP they cannot": of(
                "ScaledObject",
                "worker-io",
                lambda each: each["spec"]["triggers"][0]["metadata"].update(protocol="amqp"),
            ),
            "nobody asks how long": of("ScaledObject", "worker-io", lambda each: each["spec"]["triggers"].pop()),
            "another queue's": of(
                "ScaledObject",
                "worker-io",
                lambda each: each["spec"]["triggers"][0]["metadata"].update(queueName="cpu"),
            ),
            "no fallback": of("ScaledObject", "worker-cpu", lambda each: each["spec"].pop("fallback")),
            "a queue without": without("ScaledObject", "worker-cpu"),
        },
    ),
    (
        scaling.connections_suffice,
        "production",
        {
            "too many web": of("HorizontalPodAutoscaler", "web", lambda each: each["spec"].update(maxReplicas=20)),
            "too large a pool": settings("worker-io", DB_POOL_SIZE="40"),
            "more relays than their role may connect": of_deployment(
                "relay", lambda each: each["spec"].update(replicas=3)
            ),
            "too few for a role": settings("migrate", POSTGRES_ROLE_CONNECTIONS="60"),
            "too few in all": of(
                "Cluster",
                "postgres",
                lambda each: each["spec"]["postgresql"]["parameters"].update(max_connections="100"),
            ),
        },
    ),
)
