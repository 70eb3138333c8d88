"""All that the doctor looks at, in the order of the report."""

from warren.doctor import broker
from warren.doctor.checks import (
    beat,
    configuration,
    leases,
    local,
    outbox,
    postgres,
    rabbitmq,
    rabbitmq_alarms,
    rabbitmq_arguments,
    rabbitmq_queues,
    redis,
    schema,
)
from warren.doctor.checks.workers import Workers
from warren.doctor.finding import Check


def checks() -> tuple[Check, ...]:
    """Those of the broker that BROKER_URL names, and of everything else."""
    of_rabbitmq = (
        *rabbitmq.CHECKS,
        *rabbitmq_queues.CHECKS,
        *rabbitmq_arguments.CHECKS,
        *rabbitmq_alarms.CHECKS,
    )
    return (
        *configuration.CHECKS,
        *local.CHECKS,
        *postgres.CHECKS,
        *schema.CHECKS,
        *(redis.CHECKS if broker.is_redis() else of_rabbitmq),
        *outbox.CHECKS,
        *leases.CHECKS,
        *Workers().checks(),
        *beat.CHECKS,
    )
