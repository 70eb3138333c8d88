"""The faults that `make soak` picks from; each has a test of its own too."""

from collections.abc import Callable
from functools import partial

from tests.chaos.faults import points, processes, rabbitmq, wires
from tests.stack.stack import Stack

CUT_S = 15.0  # now and then shorter than a lease, now and then, with what the engine adds, about as long

Strike = Callable[[Stack], None]


def _restarted(stack: Stack, *, service: str) -> None:
    stack.compose("restart", service)


FAULTS: dict[str, Strike] = {
    **{f"{service}: kill -9": partial(processes.kill, service=service) for service in processes.KILLABLE},
    **{f"{service}: SIGTERM": partial(_restarted, service=service) for service in processes.KILLABLE},
    "prefork child: kill -9": partial(processes.kill_child, service="worker-cpu"),
    "relay: dies after the confirm": partial(points.die_at, service="relay", point="relay-confirmed"),
    "beat: dies in a tick": partial(points.die_at, service="beat", point="tick-accepted"),
    "RabbitMQ: stopped and started": rabbitmq.stop,
    "RabbitMQ: memory alarm": rabbitmq.memory_alarm,
    "RabbitMQ: disk alarm": rabbitmq.disk_alarm,
    "RabbitMQ: volume wiped": rabbitmq.wipe,
    **{
        f"{service}: cut off from {off}": partial(wires.cut, service=service, off=off, for_s=CUT_S)
        for service, off in wires.CUTTABLE
    },
}
