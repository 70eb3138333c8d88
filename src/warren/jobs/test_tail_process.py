"""`manage.py jobs tail` as a process: it ends as a shell expects, whatever ends it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from warren.delivery.models import Job
from warren.delivery.states import State

pytestmark = pytest.mark.django_db(transaction=True)

MANAGE = Path(__file__).parents[2] / "manage.py"
WITHIN_S = 60  # Python's start included
SESSIONS = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'warren-tail' AND datname = current_database()"
)


def _sessions() -> int:
    with connection.cursor() as cursor:
        cursor.execute(SESSIONS)
        return int(cursor.fetchone()[0])


def _until(expected: int) -> None:
    deadline = time.monotonic() + WITHIN_S
    while _sessions() != expected:
        assert time.monotonic() < deadline, f"not {expected} sessions"
        time.sleep(0.1)


@pytest.fixture
def tail() -> Iterator[subprocess.Popen[str]]:
    """The command, following all jobs."""
    environment = {**os.environ, "POSTGRES_DB": str(connection.settings_dict["NAME"])}
    command = [sys.executable, str(MANAGE), "jobs", "tail", "--json"]
    with subprocess.Popen(  # noqa: S603  this repository's own command
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        _until(1)
        yield process
        process.kill()
    _until(0)  # a session that outlives its test would keep the test database from being dropped


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it(tail: subprocess.Popen[str], number: int, code: int) -> None:
    tail.send_signal(number)

    said, complained = tail.communicate(timeout=WITHIN_S)

    assert (said, complained, tail.returncode) == ("", "", code)


@pytest.mark.parametrize("busy", [True, False], ids=["writing", "idle"])
def test_a_closed_pipe_ends_it(tail: subprocess.Popen[str], *, busy: bool) -> None:
    assert tail.stdout is not None
    assert tail.stderr is not None
    tail.stdout.close()
    if busy:
        Job.objects.create(pk="new", task="t", queue="cpu", state=State.ACCEPTED)

    tail.wait(WITHIN_S)

    assert (tail.stderr.read(), tail.returncode) == ("", 141)
