"""Celery's prefork pool, which hands short jobs to its children by the batch.

    waiting     in the main process, in the order of arrival, while every child is busy
    handed out  to a child that is free: one job alone, or as many as fit into a batch (`pace.py`). So a job that finds
                a free child never waits for others, and batches grow only under load

Only jobs that are expected to be short share a batch; one whose message came back runs alone, since it may be what
killed a child.

    a child dies       every job of its batch goes back to the broker, and then runs alone
    a job is revoked   its child is killed, as ever; the others of its batch go back
    the hard limit     hits a batch: all of it goes back; alone, the job that hangs is failed by the limit
    connection lost    what waits is forgotten: the broker delivers it again

Owner: the event loop of the worker's main process; nothing here is shared with a thread.
"""

import logging
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from billiard.einfo import ExceptionInfo
from billiard.exceptions import Terminated, TimeLimitExceeded, WorkerLostError
from celery.concurrency import prefork

from warren.delivery.batching.pace import BATCH_S, Pace

if TYPE_CHECKING:
    from warren.delivery.batching.batch import Outcome

LARGEST_BATCH = 64
ENDS_OF_A_CHILD = (WorkerLostError, Terminated, TimeLimitExceeded, SystemExit, KeyboardInterrupt)

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Order:
    """One job on its way to a child; Celery holds it, weakly, in place of the pool's own result."""

    target: Callable[..., Any]
    args: tuple[Any, ...]
    options: dict[str, Any]
    result: Any = field(default=None)
    terminated: bool = False

    @property
    def task(self) -> str:
        return str(self.args[0])

    @property
    def limits(self) -> tuple[Any, Any]:
        return self.options.get("soft_timeout"), self.options.get("timeout")

    @property
    def may_share(self) -> bool:
        return not self.args[2]["delivery_info"]["redelivered"]

    def terminate(self, signum: int) -> None:
        """It was revoked; the caller kills the child that runs it."""
        self.terminated = True
        if self.result is not None:
            self.result.terminate(signum)

    def tell(self, callback: str, *args: Any) -> None:
        """Call Celery back about this job alone: what fails for one is no concern of the others."""
        try:
            self.options[callback](*args)
        except Exception:
            log.exception("%s of job %s failed", callback, self.args[1])


class BatchingPool(prefork.TaskPool):
    """See the module's docstring."""

    uses_semaphore = False  # Celery would hand over one job for each child and keep the rest
    _pool: Any  # billiard's

    def on_start(self) -> None:
        """Fork the children."""
        super().on_start()
        self._waiting: deque[Order] = deque()
        self._handed_out: list[Any] = []
        self._pace = Pace()
        self.flush = self._forget  # type: ignore[method-assign]  # Celery sets it on the object, too

    def apply_async(
        self,
        target: Callable[..., Any],
        args: Any = None,
        kwargs: dict[str, Any] | None = None,  # noqa: ARG002  Celery passes none
        **options: Any,
    ) -> Order:
        """Take one job, with Celery's callbacks among the options."""
        order = Order(target, args, options)
        self._waiting.append(order)
        self._hand_out()
        return order

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
        # a job that was discarded when the connection was lost never calls back; it is in the cache no more
        self._handed_out = [each for each in self._handed_out if each._job in self._pool._cache and not each.ready()]  # noqa: SLF001
        return len(self._handed_out) < self._children

    @property
    def _children(self) -> int:
        return int(self._pool._processes)  # noqa: SLF001  grows and shrinks

    def _next_batch(self) -> list[Order]:
        orders = [self._waiting.popleft()]
        if not orders[0].may_share:
            return orders
        share = min(LARGEST_BATCH, math.ceil((len(self._waiting) + 1) / self._children))
        expected_s = self._pace.of(orders[0].task)
        while self._waiting and len(orders) < share:
            following = self._waiting[0]
            expected_s += self._pace.of(following.task)
            if expected_s > BATCH_S or not following.may_share or following.limits != orders[0].limits:
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
        def on_accepted(pid: int, accepted_at: float) -> None:
            for order in orders:
                order.tell("accept_callback", pid, accepted_at)

        def on_timeout(*, soft: bool, timeout: float) -> None:
            if soft:
                for order in orders:
                    order.tell("timeout_callback", soft, timeout)

        def on_done(outcomes: "list[Outcome]") -> None:
            for order, (returned, value) in zip(orders, outcomes, strict=True):
                self._note_pace(order, value)
                order.tell("callback" if returned else "error_callback", value)
            self._hand_out()

        def on_lost(error: ExceptionInfo) -> None:
            lost = _worker_lost() if isinstance(_cause(error), ENDS_OF_A_CHILD) else error
            for order in orders:
                order.tell("error_callback", error if order.terminated else lost)
            self._hand_out()

        soft_limit_s, limit_s = orders[0].limits
        return self._pool.apply_async(
            run_batch,
            (orders[0].target, [order.args for order in orders]),
            {},
            accept_callback=on_accepted,
            timeout_callback=on_timeout,
            callback=on_done,
            error_callback=on_lost,
            soft_timeout=soft_limit_s,
            timeout=limit_s,
            callbacks_propagate=self.callbacks_propagate,
            correlation_id=orders[0].options.get("correlation_id"),
        )

    def _note_pace(self, order: Order, outcome: Any) -> None:
        """`outcome` is what Celery's tracer returns, (failed, value, seconds), or an error."""
        if isinstance(outcome, tuple) and outcome[2] is not None:
            self._pace.note(order.task, outcome[2])


def run_batch(trace: Callable[..., Any], jobs: list[tuple[Any, ...]]) -> "list[Outcome]":
    """Run in a child; see `batch.py`."""
    from warren.delivery.batching import batch  # noqa: PLC0415  Celery loads this pool before Django has its models

    return batch.run(trace, jobs)


def _cause(error: ExceptionInfo) -> Any:
    cause = error.exception
    return getattr(cause, "exc", cause)  # billiard wraps what it has pickled


def _worker_lost() -> ExceptionInfo:
    try:
        raise WorkerLostError("the process that ran a batch was lost")  # noqa: TRY301  Celery reads a traceback
    except WorkerLostError:
        return ExceptionInfo()
