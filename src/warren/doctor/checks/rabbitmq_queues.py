"""RabbitMQ's queues, as whoever may connect sees them: are they there, does somebody consume, do dead letters lie?"""

from celery import current_app

from warren.config.queues import QUEUES
from warren.delivery import broker_depths, topology
from warren.delivery.broker_depths import Depth
from warren.doctor import broker
from warren.doctor.checks.rabbitmq import REACHABLE
from warren.doctor.commands import look_at, start
from warren.doctor.finding import Check, Finding, fail, ok, warn

THERE = "rabbitmq.queues"
MAKE_QUEUES = "docker compose restart rabbitmq && docker compose up migrate"


def there() -> Finding:
    """Every declared queue, and the one for dead letters."""
    depths = _ask()
    missing = [name for name, depth in depths.items() if depth is None]
    if missing:
        return fail(f"missing: {', '.join(missing)}; jobs for them wait in the outbox", do=MAKE_QUEUES)
    return ok(", ".join(f"{name} has {depth.messages} messages" for name, depth in depths.items() if depth))


def consumers() -> Finding:
    """Somebody takes what is in each queue."""
    depths = _ask()
    bare = [spec for spec in QUEUES if not _consumers(depths[spec.name])]
    if bare:
        services = " ".join(sorted({f"worker-{spec.worker}" for spec in bare}))
        told = ", ".join(f"{spec.name} ({depth.messages} wait)" for spec in bare if (depth := depths[spec.name]))
        return fail(f"nobody consumes {told}", do=start(services))
    return ok(", ".join(f"{spec.name} has {_consumers(depths[spec.name])}" for spec in QUEUES))


def dead_letters() -> Finding:
    """The relay takes them within seconds, and counts a loss of their jobs."""
    depth = _ask()[topology.DEAD_LETTER_QUEUE]
    waiting = depth.messages if depth else 0
    if waiting:
        return warn(f"{waiting} wait for the relay, which looks every ten seconds", do=look_at("relay"))
    return ok("none wait")


def _ask() -> dict[str, Depth | None]:
    return broker_depths.ask(current_app, topology.declarations(QUEUES), url=broker.url())


def _consumers(depth: Depth | None) -> int:
    return (depth and depth.consumers) or 0


CHECKS = (
    Check(name=THERE, examine=there, needs=(REACHABLE,)),
    Check(name="rabbitmq.consumers", examine=consumers, needs=(THERE,)),
    Check(name="rabbitmq.dead_letters", examine=dead_letters, needs=(THERE,)),
)
