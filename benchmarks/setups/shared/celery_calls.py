"""Submitting and waiting as Celery's users do; the same for all set-ups with plain Celery."""

from typing import Any

from celery import group

from benchmarks.harness.adapter import BULK

TIMEOUT_S = 60


class CeleryCalls:
    """The part of an adapter that is Celery's; how results are stored is each set-up's own."""

    def __init__(self, tasks: Any) -> None:
        """`tasks` is the module with the set-up's tasks."""
        self._tasks = tasks

    def submit_each(self, kind: str, *, numbers: range, seconds: float) -> None:
        task, extra = self._task(kind, seconds)
        for number in numbers:
            task.delay(number, *extra)

    def submit_bulk(self, kind: str, *, numbers: range, seconds: float) -> None:
        task, extra = self._task(kind, seconds)
        for start in range(numbers.start, numbers.stop, BULK):
            part = range(start, min(start + BULK, numbers.stop))
            group([task.s(number, *extra) for number in part]).apply_async()

    def settled(self) -> bool:
        return True  # what is published is in the broker

    def call(self, number: int) -> int:
        return int(self._tasks.echo.delay(number).get(timeout=TIMEOUT_S))

    def _task(self, kind: str, seconds: float) -> tuple[Any, tuple[float, ...]]:
        return getattr(self._tasks, kind), () if kind == "echo" else (seconds,)
