"""Places where a process of the stack dies when a test has armed them: `touch /run/warren/die.<point>`.

They exist only where this app is mounted; the product's code knows nothing of them. Whoever dies takes the file away,
so each arming kills once.

    job-finished      a worker has committed a job's outcome, and not acked its message; with prefork a child dies
    relay-confirmed   RabbitMQ has confirmed the messages, their rows are still there
    tick-accepted     beat has written a tick's job and message, and has not committed
    tick-committed    beat has committed a tick, and has not noted anything in its memory
"""

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from warren.delivery import outbox
from warren.delivery.rabbitmq_publisher import RabbitMQPublisher
from warren.delivery.redis_publisher import RedisPublisher
from warren.delivery.task import JobTask
from warren.scheduling.scheduler import Scheduler

FOLDER = Path("/run/warren")
LIKE_KILLED = 137  # what SIGKILL leaves; a container's first process cannot send it to itself


def set_all() -> None:
    """Put each point behind the function after which it lies."""
    if os.environ.get("WARREN_SERVICE") == "worker":
        _after(JobTask, "__call__", point="job-finished")
    if os.environ.get("WARREN_SERVICE") == "relay":
        for publisher in (RabbitMQPublisher, RedisPublisher):
            _after(publisher, "publish", point="relay-confirmed", if_given_work=True)
    if os.environ.get("WARREN_SERVICE") == "beat":
        _after(outbox, "add", point="tick-accepted")
        _after(Scheduler, "apply_entry", point="tick-committed")


def _after(owner: Any, name: str, *, point: str, if_given_work: bool = False) -> None:
    function: Callable[..., Any] = getattr(owner, name)
    armed = FOLDER / f"die.{point}"

    @wraps(function)
    def dying(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        if (not if_given_work or args[-1]) and _disarm(armed):
            os._exit(LIKE_KILLED)
        return result

    setattr(owner, name, dying)


def _disarm(armed: Path) -> bool:
    """Whether it was armed, and we were the first to see it."""
    try:
        armed.unlink()
    except FileNotFoundError:
        return False
    return True
