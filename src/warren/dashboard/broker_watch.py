"""How the broker stands, without a page ever waiting for it.

A page is told what was seen last, and if that is old a thread looks anew; the page's next poll has the answer.

    unknown     nobody has looked yet
    fine        it answers, and each queue has a consumer
    unconsumed  it answers, and nobody reads one of the queues, or that is missing
    away        it does not answer

Owner: whichever thread of web asks; one looks at a time, over a connection that it drops.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock, Thread

from celery import current_app
from django.conf import settings

from warren.health.inspector import Look, QueueInspector

LOOK_EVERY_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Broker:
    """What was seen; `queue` is the one that nobody reads."""

    state: str
    queue: str = ""


class BrokerWatch:
    """`state()` never waits."""

    def __init__(self, look: Callable[[], Look | None]) -> None:
        """`look` asks the broker; None says that it does not answer."""
        self._look = look
        self._lock = Lock()
        self._is_looking = False
        self._seen = Broker(state="unknown")
        self._seen_at = float("-inf")

    def state(self) -> Broker:
        """What was seen last; looks again, aside, if that is old."""
        with self._lock:
            age_s = time.monotonic() - self._seen_at
            starts = age_s > LOOK_EVERY_S and not self._is_looking
            self._is_looking = self._is_looking or starts
            seen = self._seen
        if starts:
            Thread(target=self._look_aside, daemon=True, name="broker-watch").start()
        return seen

    def _look_aside(self) -> None:
        seen = Broker(state="away")
        try:
            seen = _judged(self._look())
        finally:
            with self._lock:
                self._seen, self._seen_at, self._is_looking = seen, time.monotonic(), False


def _judged(look: Look | None) -> Broker:
    if look is None:
        return Broker(state="away")
    return Broker(state="unconsumed", queue=look.unconsumed) if look.unconsumed else Broker(state="fine")


def _ask() -> Look | None:
    inspector = QueueInspector(current_app, [queue.name for queue in settings.CELERY_TASK_QUEUES])
    try:
        return inspector.look()
    finally:
        inspector.close()


watch = BrokerWatch(_ask)
