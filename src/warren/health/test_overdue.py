"""Which running task holds its worker for too long; that it fails and the worker leaves, tests/integration shows."""

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from warren.health import overdue

STARTED_AT = 1000.0

_LEAVE = """
from types import SimpleNamespace
import django
django.setup()
from warren.health import overdue
overdue.leave(SimpleNamespace(name="some.task", id="some-job"), limit_s=1)
"""


def _running(
    *, id_: str = "job", time_limits: tuple[Any, Any] = (None, None), task_limit_s: float | None = None
) -> SimpleNamespace:
    return SimpleNamespace(
        id=id_, time_start=STARTED_AT, time_limits=time_limits, task=SimpleNamespace(time_limit=task_limit_s)
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


def test_it_finds_the_one_that_computes_when_others_had_to_wait_for_it() -> None:
    waits, computes = _running(id_="waits"), _running(id_="computes")

    found = overdue.find([waits, computes], limit_s=10.0, now=STARTED_AT + 30, computes={"computes"})

    assert found is computes


def test_it_finds_none_when_another_computes_that_is_in_time() -> None:
    waits = _running(id_="waits")

    assert overdue.find([waits], limit_s=10.0, now=STARTED_AT + 30, computes={"computes"}) is None


def test_it_leaves_all_the_same_when_postgres_does_not_answer() -> None:
    environment = {**os.environ, "POSTGRES_HOST": "127.0.0.1", "POSTGRES_PORT": "1"}
    command = [sys.executable, "-c", _LEAVE]

    left = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)  # noqa: S603  the code above

    assert left.returncode == os.EX_SOFTWARE
    assert "job some-job could not be made failed, and is lost with this worker" in left.stdout + left.stderr
