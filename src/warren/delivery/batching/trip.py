"""A batch's way to a child process and back: who of its jobs is told what."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from billiard.einfo import ExceptionInfo
from billiard.exceptions import Terminated, TimeLimitExceeded, WorkerLostError

from warren.delivery.batching.order import Order

if TYPE_CHECKING:
    from warren.delivery.batching.batch import Outcome

ENDS_OF_A_CHILD = (WorkerLostError, Terminated, TimeLimitExceeded, SystemExit, KeyboardInterrupt)


@dataclass(frozen=True)
class Trip:
    """`on_outcome` is told of each job's outcome, before Celery is; `on_end` that the child is free again."""

    orders: list[Order]
    on_outcome: Callable[[Order, Any], None]
    on_end: Callable[[], None]

    @property
    def errand(self) -> tuple[Any, ...]:
        """What the child is asked: the arguments of `run_batch`."""
        return self.orders[0].target, [order.args for order in self.orders]

    @property
    def options(self) -> dict[str, Any]:
        """What billiard's `apply_async` is told beside it. All orders of a batch have the same limits."""
        soft_limit_s, limit_s = self.orders[0].limits
        return {
            "accept_callback": self._accepted,
            "timeout_callback": self._timed_out,
            "callback": self._done,
            "error_callback": self._lost,
            "soft_timeout": soft_limit_s,
            "timeout": limit_s,
            "correlation_id": self.orders[0].options.get("correlation_id"),
        }

    def _accepted(self, pid: int, accepted_at: float) -> None:
        for order in self.orders:
            order.tell("accept_callback", pid, accepted_at)

    def _timed_out(self, *, soft: bool, timeout: float) -> None:
        if soft:
            for order in self.orders:
                order.tell("timeout_callback", soft, timeout)

    def _done(self, outcomes: "list[Outcome]") -> None:
        for order, (returned, value) in zip(self.orders, outcomes, strict=True):
            self.on_outcome(order, value)
            order.tell("callback" if returned else "error_callback", value)
        self.on_end()

    def _lost(self, error: ExceptionInfo) -> None:
        lost = (
            error_info(WorkerLostError("the process that ran a batch was lost"))
            if isinstance(_cause(error), ENDS_OF_A_CHILD)
            else error
        )
        for order in self.orders:
            order.tell("error_callback", error if order.terminated else lost)
        self.on_end()


def run_batch(trace: Callable[..., Any], jobs: list[tuple[Any, ...]]) -> "list[Outcome]":
    """Run in a child; see `batch.py`."""
    from warren.delivery.batching import batch  # noqa: PLC0415  Celery loads this pool before Django has its models

    return batch.run(trace, jobs)


def _cause(error: ExceptionInfo) -> Any:
    cause = error.exception
    return getattr(cause, "exc", cause)  # billiard wraps what it has pickled


def error_info(error: Exception) -> ExceptionInfo:
    """What a pool tells Celery of an error; Celery reads a traceback from it."""
    try:
        raise error
    except type(error):
        return ExceptionInfo()
