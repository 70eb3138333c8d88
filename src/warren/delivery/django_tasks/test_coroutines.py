import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from pytest_django import Settings

from warren.delivery.django_tasks import coroutines
from warren.delivery.django_tasks.errors import CoroutineCancelledError, CoroutinesUnsupportedError

whose: ContextVar[str] = ContextVar("whose", default="nobody's")


class _TooLongError(Exception):
    """What a soft time limit raises."""


@pytest.fixture
def time_limit() -> Iterator[None]:
    """Raises in the main thread soon, as Celery's soft time limit does."""

    def interrupt(*_args: Any) -> None:
        raise _TooLongError

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_it_returns_what_the_coroutine_returns() -> None:
    async def add(one: int, *, other: int) -> int:
        await asyncio.sleep(0)
        return one + other

    assert coroutines.run(add, 2, other=3) == 5


def test_it_raises_what_the_coroutine_raises() -> None:
    async def fail() -> None:
        raise ValueError("no luck")

    with pytest.raises(ValueError, match="no luck"):
        coroutines.run(fail)


def test_it_runs_sync_code_in_the_caller_s_thread_and_context() -> None:
    whose.set("the caller's")

    async def ask() -> tuple[int, str]:
        return await sync_to_async(threading.get_ident)(), await sync_to_async(whose.get)()

    assert coroutines.run(ask) == (threading.get_ident(), "the caller's")


@pytest.mark.usefixtures("time_limit")
def test_it_cancels_the_coroutine_and_waits_for_its_clean_up_when_a_time_limit_interrupts() -> None:
    seen: list[Any] = []

    async def endless() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            seen.append(await sync_to_async(threading.get_ident)())

    with pytest.raises(_TooLongError):
        coroutines.run(endless)

    assert seen == [threading.get_ident()]


@pytest.mark.usefixtures("time_limit")
def test_it_raises_in_the_coroutine_when_a_time_limit_interrupts_its_sync_code() -> None:
    async def endless() -> None:
        await sync_to_async(time.sleep)(60)

    with pytest.raises(_TooLongError):
        coroutines.run(endless)


def test_it_makes_a_plain_error_of_a_cancellation_from_within() -> None:
    async def give_up() -> None:
        raise asyncio.CancelledError

    with pytest.raises(CoroutineCancelledError):
        coroutines.run(give_up)


def test_it_names_the_way_out_when_the_pool_is_eventlet(settings: Settings) -> None:
    settings.POOL = "eventlet"

    async def nothing() -> None: ...

    with pytest.raises(CoroutinesUnsupportedError, match="use gevent"):
        coroutines.run(nothing)


# Patching is for a whole process, so these run in one of their own.
_GREEN = """
from gevent import monkey; monkey.patch_all()
import asyncio, gevent, os, threading, time
import django; django.setup()
from asgiref.sync import sync_to_async
from django.db import connection
from warren.delivery.django_tasks import coroutines

def query():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 42")
        answer = cursor.fetchone()[0]
    connection.close()  # to the pool, as a worker does after each task
    return answer, gevent.getcurrent()
"""
_TOGETHER = f"""{_GREEN}
COUNT, PAUSE_S = 40, 0.5

async def look(number):
    await asyncio.sleep(PAUSE_S)
    answer, greenlet = await sync_to_async(query)()
    return number, answer, greenlet

started = time.monotonic()
running = [gevent.spawn(coroutines.run, look, number) for number in range(COUNT)]
while not all(each.dead for each in running):
    gevent.spawn(query).get()  # the ORM of others goes on meanwhile
took = time.monotonic() - started
assert [each.value for each in running] == [(number, 42, each) for number, each in enumerate(running)]
assert took < PAUSE_S * COUNT / 4, f"one after the other: {{took:.1f}} s"
os._exit(0)  # the pool's threads would be joined
"""
_KILLED = f"""{_GREEN}
seen = []

async def endless():
    try:
        seen.append("begun")
        await asyncio.sleep(60)
    finally:
        seen.append((await sync_to_async(query)())[0])

running = gevent.spawn(coroutines.run, endless)
with gevent.Timeout(10):
    while not seen:
        gevent.sleep(0.01)
    running.kill()
assert seen == ["begun", 42], seen
os._exit(0)
"""


@pytest.mark.django_db
@pytest.mark.parametrize("script", [_TOGETHER, _KILLED], ids=["together", "killed"])
def test_it_leaves_other_greenlets_alone_when_the_pool_is_gevent(script: str) -> None:
    environment = {**os.environ, "WARREN_SERVICE": "worker", "WORKER_POOL": "gevent"}

    done = subprocess.run(  # noqa: S603  the script is this file's
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr
