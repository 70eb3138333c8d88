"""What a pool has been given and has not begun, and how far ahead its worker fetches."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from celery.concurrency.base import BasePool
from celery.exceptions import Reject

from warren.delivery.batching.consuming import Consuming
from warren.delivery.batching.margin import Margin
from warren.delivery.batching.order import Order
from warren.delivery.batching.trip import error_info
from warren.delivery.batching.window import Window

# What was fetched ahead, as done in a moment, and has waited this long goes back to the broker.
SURPLUS_AFTER_S = 1.0


class Ahead(BasePool):
    """To be mixed into one of Celery's pools, before it: it holds the jobs that wait. A subclass hands them out."""

    window: Window | Margin | None = None  # set while a consumer runs that can change it
    on_window: Callable[[int], None]
    consuming: Consuming | None = None  # set while that consumer's subscription follows the window

    def on_start(self) -> None:
        """Begin with nothing."""
        super().on_start()
        self._waiting: deque[Order] = deque()

    def apply_async(
        self,
        target: Callable[..., Any],
        args: Any = None,
        kwargs: dict[str, Any] | None = None,  # noqa: ARG002  Celery passes none
        **options: Any,
    ) -> Order:
        """Take one job, with Celery's callbacks among the options; never waits, as Celery's own do when full."""
        order = Order(target, args, options)
        self._waiting.append(order)
        self._hand_out()
        return order

    def make_window(self, *, narrow: int) -> Window | Margin:
        """How far ahead to fetch; `narrow` is what the worker was told to hold."""
        raise NotImplementedError

    def look_at_window(self) -> None:
        """Called now and then."""
        self.give_back_surplus()
        if self.consuming:
            self.consuming.resume_soon()

    def give_back_surplus(self) -> None:
        """Give back what waits beyond the narrow window, if the oldest has waited for long.

        Each message at most once, by whatever worker: the queue counts, and at the sixth it takes the job for poison.
        """
        window = self.window
        if window is None or len(self._waiting) <= window.kept:
            return
        if time.monotonic() - self._waiting[0].arrived_at >= SURPLUS_AFTER_S:
            window.shut()
            self.on_window(window.size)
            beyond = list(self._waiting)[window.kept :]
            self._give_back([order for order in beyond if order.came_first])

    def give_back_all(self) -> None:
        """Give to the broker what waits: the worker stops."""
        self._give_back(list(self._waiting))

    def close_window(self) -> None:
        """Fetch no further ahead, and nothing anew: the consumer ends."""
        self.window = self.consuming = None

    def _give_back(self, orders: list[Order]) -> None:
        for order in orders:
            self._waiting.remove(order)
        for order in orders:
            order.tell("error_callback", error_info(Reject("waited too long for its turn", requeue=True)))

    def _hand_out(self) -> None:
        """Begin as many of those that wait as may run."""
        raise NotImplementedError

    def _note_end(self, outcome: Any) -> float | None:
        """A job has ended; returns the seconds that it ran, None if that is not known.

        `outcome` is what Celery's tracer returns, (failed, value, seconds), or an error.
        """
        if self.consuming:
            self.consuming.resume_soon()
        if not isinstance(outcome, tuple) or outcome[2] is None:
            return None
        runtime_s = float(outcome[2])
        if self.window:
            size = self.window.size
            self.window.note(runtime_s)
            if self.window.size != size:
                self.on_window(self.window.size)
        return runtime_s
