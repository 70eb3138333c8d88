"""Threads that share one connection and wait for each other: in a process of its own, whose settings are a worker's."""

import os
import subprocess
import sys
from uuid import uuid4

import pytest
from django.db import connection

from warren.delivery.models import Job
from warren.delivery.states import State

pytestmark = pytest.mark.django_db(transaction=True)

WITHIN_S = 30  # Python's start included; a pool waits five minutes for a connection

_WORKER = """
import sys, threading, time
import django
django.setup()
from celery import current_app
from django.db import connection
from warren.delivery import outcomes
from warren.delivery.models import Job
from warren.delivery.outcomes import Success

def run(*functions):
    threads = [threading.Thread(target=function, daemon=True) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive(), "they wait for each other"

def query():
    connection.ensure_connection()

def until(condition):
    while not condition():
        time.sleep(0.01)

def waits():
    return connection.pool.get_stats().get("requests_waiting")

assert connection.pool.max_size == 1
"""
_FINISH = """
held = threading.Event()

def without_a_connection():
    held.wait()
    outcomes.succeed(Success("first", 1, "1"))
    connection.close()  # as Celery does after each task

def with_one():
    query()
    held.set()
    until(waits)
    outcomes.succeed(Success("second", 1, "1"))

run(without_a_connection, with_one)
"""
_GET = """
asked = threading.Event()

def asks():
    query()
    asked.set()
    assert current_app.AsyncResult(sys.argv[1]).get(timeout=8) == 3

def finishes():
    asked.wait()
    time.sleep(0.5)
    Job.objects.filter(pk=sys.argv[1]).update(state="succeeded", result="3", finished_at=django.utils.timezone.now())
    connection.close()

run(asks, finishes)
"""


_STORE = """
from celery.app.task import Context
from celery.exceptions import TimeLimitExceeded

job_id = sys.argv[1]
current_app.backend.store_result(job_id, {"done": 1}, "PROGRESS", request=Context(id=job_id, job_attempt=1))
assert connection.connection is None, "progress"
late = Context(id=job_id, job_attempt=7)
current_app.backend.mark_as_failure(job_id, TimeLimitExceeded(5), request=late)
assert connection.connection is None, "a time limit that is not the job's any more"
"""


_SEND = """
from celery import shared_task
from warren.delivery.errors import BrokerUnreachableError

@shared_task(name="pooled.note", queue="cpu", durable=False)
def note():
    pass

query()
current_app.conf.broker_write_url = "pyamqp://127.0.0.1:1//"
try:
    note.delay()
except BrokerUnreachableError:
    assert connection.connection is None
else:
    raise AssertionError("it was sent")
"""


def _run(code: str, *arguments: str) -> None:
    own = {
        "WARREN_SERVICE": "worker",
        "WORKER_POOL": "threads",
        "DB_POOL_SIZE": "1",
        "POSTGRES_DB": str(connection.settings_dict["NAME"]),
    }
    command = [sys.executable, "-c", _WORKER + code, *arguments]
    done = subprocess.run(  # noqa: S603  the code above
        command, capture_output=True, text=True, timeout=WITHIN_S, check=False, env={**os.environ, **own}
    )
    assert done.returncode == 0, done.stderr


def test_one_that_stores_its_outcome_with_others_holds_no_connection_meanwhile() -> None:
    _run(_FINISH)


def test_one_that_waits_for_a_result_holds_no_connection_meanwhile() -> None:
    job = Job.objects.create(id=str(uuid4()), task="some.task", queue="cpu", state=State.RUNNING)

    _run(_GET, job.pk)


def test_whoever_stores_something_outside_a_task_keeps_no_connection() -> None:
    """A greenlet that has met its hard limit, and the one that consumes: nobody tidies up after them."""
    job = Job.objects.create(id=str(uuid4()), task="some.task", queue="cpu", state=State.RUNNING, attempt=1)

    _run(_STORE, job.pk)


def test_one_that_waits_for_the_broker_holds_no_connection_meanwhile() -> None:
    _run(_SEND)
