"""Function calls that one thread asks of another, which serves them while it waits."""

import queue
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self, override

type Call = Callable[[], None]


class Inbox(Protocol):
    """Where calls arrive; None says that no more will come."""

    def put(self, call: Call | None) -> None:
        """Add one, from any thread."""

    def get(self, timeout_s: float | None) -> Call | None:
        """Wait for the next. Raises `queue.Empty` after the timeout."""

    def close(self) -> None:
        """Nobody will get any more."""


class Calls(Executor):
    """An executor whose calls run in the thread, or greenlet, that made it and serves them."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._inbox.close()

    @override
    def __enter__(self) -> Self:
        return self

    @override
    def submit[**P, R](self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Ask for a call, from another thread."""
        future: Future[R] = Future()
        self._inbox.put(partial(_answer, future, partial(fn, *args, **kwargs)))
        return future

    def end(self) -> None:
        """Let `serve` return."""
        self._inbox.put(None)

    def serve(self, *, timeout_s: float | None = None) -> bool:
        """Run calls until `end`; False if none came, and no end, for the timeout."""
        try:
            while (call := self._inbox.get(timeout_s)) is not None:
                call()
        except queue.Empty:
            return False
        return True


class ThreadInbox:
    """For threads."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()

    def put(self, call: Call | None) -> None:
        self._calls.put(call)

    def get(self, timeout_s: float | None) -> Call | None:
        return self._calls.get(timeout=timeout_s)

    def close(self) -> None:
        """Nothing is held."""


class GreenInbox:
    """For a greenlet that is called from real threads: gevent's own queues serve one thread's greenlets only."""

    def __init__(self) -> None:
        from gevent import get_hub  # noqa: PLC0415  only the io image has gevent
        from gevent.event import Event  # noqa: PLC0415  only the io image has gevent

        self._calls: deque[Call | None] = deque()
        self._arrived = Event()
        self._doorbell: Any = get_hub().loop.async_()  # what other threads may ring
        self._doorbell.start(self._arrived.set)

    def put(self, call: Call | None) -> None:
        self._calls.append(call)
        self._doorbell.send()

    def get(self, timeout_s: float | None) -> Call | None:
        while not self._calls:
            if not self._arrived.wait(timeout_s):
                raise queue.Empty
            self._arrived.clear()
        return self._calls.popleft()

    def close(self) -> None:
        self._doorbell.stop()
        self._doorbell.close()


def _answer(future: Future[Any], call: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(call())
    except BaseException as exc:  # noqa: BLE001  whoever asked gets it
        future.set_exception(exc)
