"""Celery's prefork pool, which hands short jobs to its children by the batch.

    waiting     in the main process, in the order of arrival, while every child is busy
    handed out  to a child that is free: one job alone, or as many as fit into a batch (`pace.py`). So a job that finds
                a free child never waits for others, and batches grow only under load

How many wait is the window's matter (`window.py`). Only jobs that are expected to be short share a batch; one whose
message came back runs alone, since it may be what killed a child.

    a child dies       every job of its batch goes back to the broker, and then runs alone
    a job is revoked   its child is killed, as ever; the others of its batch go back
    the hard limit     hits a batch: all of it goes back; alone, the job that hangs is failed by the limit
    connection lost    what waits is forgotten: the broker delivers it again

Owner: the event loop of the worker's main process; nothing here is shared with a thread.
"""

import math
from collections.abc import Callable
from typing import Any

from celery.concurrency import prefork

from warren.delivery.batching.ahead import Ahead
from warren.delivery.batching.order import Order
from warren.delivery.batching.pace import BATCH_S, Pace
from warren.delivery.batching.trip import Trip, run_batch
from warren.delivery.batching.window import Window

LARGEST_BATCH = 64


class BatchingPool(Ahead, prefork.TaskPool):
    """See the module's docstring."""

    uses_semaphore = False  # Celery would hand over one job for each child and keep the rest
    _pool: Any  # billiard's

    def on_start(self) -> None:
        """Fork the children."""
        super().on_start()
        self._handed_out: list[Any] = []
        self._pace = Pace()
        self.flush = self._forget  # type: ignore[method-assign]  # Celery sets it on the object, too

    @property
    def places(self) -> int:
        """How many children there are; any thread may ask, as `busy`."""
        return self._children

    @property
    def busy(self) -> int:
        """How many children run a job or a batch."""
        return len(self._still_out())

    def make_window(self, *, narrow: int) -> Window:
        """See `Ahead`."""
        return Window(narrow=narrow, children=self._children)

    def _forget(self) -> None:
        self._waiting.clear()
        # what Celery ends with the connection may never call back, and would hold its child's place for ever
        self._handed_out.clear()
        self._pool.flush()

    def _hand_out(self) -> None:
        while self._waiting and self._has_free_child():
            orders = self._next_batch()
            result = self._send_alone(orders[0]) if len(orders) == 1 else self._send_batch(orders)
            if result is None:
                return  # the pool is closing; unacked, the messages go back
            self._handed_out.append(result)

    def _has_free_child(self) -> bool:
        self._handed_out = self._still_out()
        return len(self._handed_out) < self._children

    def _still_out(self) -> list[Any]:
        # a job that was discarded when the connection was lost never calls back; it is in the cache no more
        return [each for each in list(self._handed_out) if each._job in self._pool._cache and not each.ready()]  # noqa: SLF001

    @property
    def _children(self) -> int:
        return int(self._pool._processes)  # noqa: SLF001  grows and shrinks

    def _next_batch(self) -> list[Order]:
        orders = [self._waiting.popleft()]
        if not orders[0].came_first:
            return orders
        share = min(LARGEST_BATCH, math.ceil((len(self._waiting) + 1) / self._children))
        expected_s = self._pace.of(orders[0].task)
        while self._waiting and len(orders) < share:
            following = self._waiting[0]
            expected_s += self._pace.of(following.task)
            if expected_s > BATCH_S or not following.came_first or following.limits != orders[0].limits:
                break
            orders.append(self._waiting.popleft())
        return orders

    def _send_alone(self, order: Order) -> Any:
        def on_end(callback: str) -> Callable[[Any], None]:
            def tell(value: Any) -> None:
                self._note_pace(order, value)
                try:
                    order.options[callback](value)
                finally:
                    self._hand_out()

            return tell

        own = {"callback": on_end("callback"), "error_callback": on_end("error_callback")}
        order.result = self._pool.apply_async(
            order.target, order.args, {}, callbacks_propagate=self.callbacks_propagate, **order.options | own
        )
        return order.result

    def _send_batch(self, orders: list[Order]) -> Any:
        trip = Trip(orders, on_outcome=self._note_pace, on_end=self._hand_out)
        return self._pool.apply_async(
            run_batch, trip.errand, {}, callbacks_propagate=self.callbacks_propagate, **trip.options
        )

    def _note_pace(self, order: Order, outcome: Any) -> None:
        runtime_s = self._note_end(outcome)
        if runtime_s is not None:
            self._pace.note(order.task, runtime_s)
