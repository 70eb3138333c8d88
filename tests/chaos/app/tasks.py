"""The ledger's tasks: each leaves a row under its key, and gives a number that only the right inputs make.

`once` is transactional: exactly one row. `plain` is not: at least one. Both are on both queues, can stand alone, be a
step of a chain, a part of a group or chord, or the body of a chord.
"""

import time
from collections.abc import Sequence
from typing import Any

from celery import current_task, shared_task
from django.db import connection
from rest_framework import serializers

from warren.jobs.fields import NumberField, TextField

QUEUES = ("cpu", "io")


class Step(serializers.Serializer[Any]):
    """What a step is called, what it adds, and how long it takes."""

    key = TextField(max_length=100)
    number = NumberField(min_value=0, max_value=1e9)
    seconds = NumberField(min_value=0, max_value=600, default=0)


def once(earlier: float | Sequence[float] = 0, *, key: str, number: float, seconds: float = 0) -> float:
    """First the effect, then the wait: whoever dies in it must leave nothing."""
    _note(key)
    time.sleep(seconds)
    return _sum(earlier) + number


def plain(earlier: float | Sequence[float] = 0, *, key: str, number: float, seconds: float = 0) -> float:
    """First the wait, then the effect."""
    time.sleep(seconds)
    _note(key)
    return _sum(earlier) + number


@shared_task(name="ledger.io.tick", queue="io", transactional=True)  # type: ignore[call-overload, untyped-decorator]  # transactional= is ours
def tick() -> None:
    """What the schedule fires: its key is the job's own id."""
    _note(f"tick {current_task.request.id}")


def _note(key: str) -> None:
    request: Any = current_task.request
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO ledger_effect VALUES (%s, %s, %s)", [key, request.id, request.job_attempt])


def _sum(earlier: float | Sequence[float]) -> float:
    return earlier if isinstance(earlier, int | float) else sum(earlier)


for _queue in QUEUES:
    shared_task(name=f"ledger.{_queue}.once", queue=_queue, arguments=Step, transactional=True)(once)  # type: ignore[call-overload]  # both are ours
    shared_task(name=f"ledger.{_queue}.plain", queue=_queue, arguments=Step)(plain)  # type: ignore[call-overload]  # arguments= is ours
