"""Which running task holds its worker for too long; that the worker then leaves, tests/chaos/test_poison.py shows."""

from types import SimpleNamespace
from typing import Any

import pytest

from warren.health import overdue

STARTED_AT = 1000.0


def _running(*, time_limits: tuple[Any, Any] = (None, None), task_limit_s: float | None = None) -> SimpleNamespace:
    return SimpleNamespace(
        time_start=STARTED_AT, time_limits=time_limits, task=SimpleNamespace(time_limit=task_limit_s)
    )


@pytest.mark.parametrize(
    ("request_", "limit_s", "overdue_after_s"),
    [
        (_running(), 10.0, 20.0),
        (_running(), 900.0, 960.0),
        (_running(task_limit_s=5.0), 900.0, 10.0),
        (_running(task_limit_s=5.0, time_limits=(200.0, None)), 900.0, 260.0),
    ],
    ids=["as long again", "at most a minute more", "the task's own limit", "the call's own limit"],
)
def test_it_finds_a_task_when_its_limit_and_the_grace_are_over(
    request_: SimpleNamespace, limit_s: float, overdue_after_s: float
) -> None:
    in_time = overdue.find([request_], limit_s=limit_s, now=STARTED_AT + overdue_after_s - 0.1)
    late = overdue.find([request_], limit_s=limit_s, now=STARTED_AT + overdue_after_s + 0.1)

    assert (in_time, late) == (None, request_)


def test_it_finds_none_when_there_is_no_limit() -> None:
    assert overdue.find([_running()], limit_s=None, now=STARTED_AT + 1e6) is None


def test_it_finds_none_when_it_has_not_started() -> None:
    waiting = _running()
    waiting.time_start = None

    assert overdue.find([waiting], limit_s=10.0, now=STARTED_AT + 1e6) is None
