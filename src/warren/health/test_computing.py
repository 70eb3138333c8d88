"""Which tasks run in this process at this moment."""

import subprocess
import sys
import threading
from typing import Any

from celery import Task, shared_task
from celery.app import app_or_default
from celery.app.trace import build_tracer

from warren.health import computing

_seen: list[set[str]] = []
_begun, _may_end = threading.Event(), threading.Event()

# gevent patches the whole process. A task waits, one computes and looks, and the loop looks while both wait.
_GREEN = """
from gevent import monkey
monkey.patch_all()
import gevent
from celery import Celery
from celery.app.trace import build_tracer
from warren.health import computing

app, seen = Celery("green", set_as_current=True), []

@app.task
def wait():
    gevent.sleep(0.2)

@app.task
def look():
    seen.append(computing.task_ids())
    gevent.sleep(0.1)

def spawn(task, task_id):
    return gevent.spawn(build_tracer(task.name, task, app=app), task_id, (), {}, {"id": task_id})

running = [spawn(wait, "waits"), spawn(look, "looks")]
gevent.sleep(0.05)
seen.append(computing.task_ids())
gevent.joinall(running)
assert seen == [{"looks"}, set()], seen
"""


@shared_task(name="computing.inner")
def inner() -> None:
    _seen.append(computing.task_ids())


@shared_task(name="computing.outer")
def outer() -> None:
    inner.apply(task_id="inner").get()


@shared_task(name="computing.wait")
def wait() -> None:
    _begun.set()
    assert _may_end.wait(10)


def _trace(task: "Task[Any, Any]", task_id: str) -> None:
    build_tracer(task.name, task, app=app_or_default(), eager=True)(task_id, [], {}, {"id": task_id, "is_eager": True})


def test_it_finds_the_task_of_another_thread_until_it_ends() -> None:
    thread = threading.Thread(target=_trace, args=(wait, "elsewhere"))
    thread.start()
    assert _begun.wait(10)

    during = computing.task_ids()
    _may_end.set()
    thread.join()

    assert (during, computing.task_ids()) == ({"elsewhere"}, set())


def test_it_finds_both_when_a_task_calls_another_in_its_body() -> None:
    _seen.clear()

    _trace(outer, "outer")

    assert _seen == [{"outer", "inner"}]


def test_it_finds_of_greenlets_only_the_one_that_the_loop_is_in() -> None:
    command = [sys.executable, "-c", _GREEN]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603  the code above

    assert done.returncode == 0, done.stderr
