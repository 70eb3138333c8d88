"""Runs a coroutine function to its end, from synchronous code, in every pool that Warren's workers offer but eventlet.

the loop       turns in a thread of its own. Under gevent that is a real one, which the patched `threading` does not
               give: a loop counts as running for its whole thread, so on the hub's it would make Django refuse the
               ORM to every other greenlet, and no second one could start
sync code      that the coroutine calls through `sync_to_async`, the async ORM included, runs in the caller's thread or
               greenlet, on its database connection, and so in its transaction
interruption   of the caller, by a time limit or a cancelled job, cancels the coroutine, waits for its clean-up, and
               goes on. asgiref's `async_to_sync` would leave it running
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import copy_context
from functools import cache, partial
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from django.conf import settings

from warren.delivery.django_tasks.calls import Calls, GreenInbox, ThreadInbox
from warren.delivery.django_tasks.errors import CoroutineCancelledError, CoroutinesUnsupportedError

# As many as the io worker has greenlets (services/worker/start); those that wait for a thread wait as greenlets.
MOST_NATIVE_THREADS = 100

# What a cancelled coroutine may take to clean up before it is left behind.
UNWIND_S = 10.0

log = logging.getLogger(__name__)


def run[**P, R](function: Callable[P, Coroutine[Any, Any, R]], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what the coroutine returns and raise what it raises.

    Raises `CoroutinesUnsupportedError` in an eventlet worker, and `CoroutineCancelledError` for its `CancelledError`.
    """
    if settings.POOL == "eventlet":
        raise CoroutinesUnsupportedError(
            f"{function.__qualname__} is async, and asyncio does not run in the eventlet pool: use gevent "
            "(WORKER_IO_POOL), or a queue of another pool"
        )
    green = settings.POOL == "gevent"
    with Calls(GreenInbox() if green else ThreadInbox()) as calls:
        running = _Running(partial(function, *args, **kwargs), calls)
        try:
            (_start_green if green else _start)(partial(copy_context().run, running.turn))
            calls.serve()
        except BaseException:
            running.cancel()
            if not calls.serve(timeout_s=UNWIND_S):
                log.exception("%s was cancelled, and still runs after %s s", function.__qualname__, UNWIND_S)
            raise
    return running.result()


class _Running[R]:
    """One coroutine and its loop. `turn` runs in the loop's thread, all else in the caller's."""

    def __init__(self, body: Callable[[], Coroutine[Any, Any, R]], calls: Calls) -> None:
        self._body = body
        self._calls = calls
        self._unwanted = False
        self._task: asyncio.Task[Any] | None = None
        self._outcome: tuple[R | None, BaseException | None] = (None, None)

    def turn(self) -> None:
        """Run the loop until the coroutine is done, and say so."""
        try:
            self._outcome = (asyncio.run(self._main()), None)
        except BaseException as exc:  # noqa: BLE001  the caller raises it
            self._outcome = (None, exc)
        finally:
            self._calls.end()

    def cancel(self) -> None:
        """Raise `CancelledError` in the coroutine, if it is not done."""
        self._unwanted = True
        if self._task:
            with suppress(RuntimeError):  # the loop is closed: it was done
                self._task.get_loop().call_soon_threadsafe(self._task.cancel)

    def result(self) -> R:
        value, error = self._outcome
        if isinstance(error, asyncio.CancelledError):
            raise CoroutineCancelledError from error  # Celery takes a BaseException for the end of the worker
        if error:
            raise error
        return value  # type: ignore[return-value]  # without an error there is one

    async def _main(self) -> R:
        self._task = asyncio.current_task()
        if self._unwanted:  # before there was a task to cancel
            raise asyncio.CancelledError
        async with ThreadSensitiveContext(executor=self._calls):
            return await self._body()


def _start(target: Callable[[], None]) -> None:
    threading.Thread(target=target, name="coroutine", daemon=True).start()


def _start_green(target: Callable[[], None]) -> None:
    _native_threads().spawn(target)


@cache
def _native_threads() -> Any:
    from gevent.threadpool import ThreadPool  # noqa: PLC0415  only the io image has gevent

    return ThreadPool(MOST_NATIVE_THREADS)
