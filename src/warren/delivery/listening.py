"""Waking up when a job changes: Postgres tells of each (a trigger on `warren_job`), one connection a process hears it.

    idle        nobody watches a job: no thread, no connection
    listening   a thread holds a connection and sets the event of whoever watches the job that changed, and tells those
                who hear of all; it goes on for a while after the last of them has gone, because to connect costs more
                than many results

A notification is a hint: whoever is woken reads the row. A lost one is harmless, because watchers look now and then
without being told.

    Postgres away, or the connection lost   every watcher is woken and looks for itself; the next starts to listen anew
    the process forks                       the child begins idle

Owner of the connection: the thread. The lock guards who watches.
"""

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import psycopg

from warren.delivery import direct
from warren.delivery.states import FINAL

CHANNEL = "warren_job"
LINGER_S = 30.0
LOOK_EVERY_S = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class _Watch:
    event: threading.Event
    end_only: bool


class Audience(Protocol):
    """Whoever hears of all jobs. Called in the listener's thread, so it does no more than to note what it hears."""

    def heard(self, job_id: str, *, owner_id: int | None, state: str) -> None:
        """This job has changed, and had this state then; nobody may own it."""

    def missed(self) -> None:
        """Any job may have changed without a word: the connection was made, or is lost."""


class Listener:
    """One for each process: `listener` below."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._watchers: dict[str, set[_Watch]] = {}
        self._audiences: tuple[Audience, ...] = ()
        self._thread: threading.Thread | None = None
        self._watched_at = time.monotonic()
        self.hears = False  # what is committed from now on is told

    @contextmanager
    def watching(self, job_id: str, *, end_only: bool = False) -> Iterator[threading.Event]:
        """Give an event that is set when the job has changed, or may have; clear it before you look at the job.

        With `end_only`, when it has become final, or may have.
        """
        watch = _Watch(threading.Event(), end_only)
        with self._lock:
            self._watchers.setdefault(job_id, set()).add(watch)
        try:
            yield watch.event
        finally:
            with self._lock:
                self._watchers[job_id].discard(watch)
                if not self._watchers[job_id]:
                    del self._watchers[job_id]

    def attach(self, audience: Audience) -> None:
        """Tell it of every job from now on, while the connection lasts: `ensure()` that there is one, now and then."""
        with self._lock:
            self._audiences = (*self._audiences, audience)

    def detach(self, audience: Audience) -> None:
        """Tell it no more."""
        with self._lock:
            self._audiences = tuple(each for each in self._audiences if each is not audience)

    def ensure(self) -> None:
        """Begin to listen, if nobody does."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._listen, name="listener", daemon=True)
                self._thread.start()

    def _listen(self) -> None:
        try:
            with direct.connect("listener") as connection:
                connection.execute(f"LISTEN {CHANNEL}")
                self._wake_all()  # what changed before we listened was not told
                self.hears = True
                while self._is_wanted():
                    for notification in connection.notifies(timeout=LOOK_EVERY_S):
                        self._wake(notification.payload)
        except psycopg.Error as exc:
            log.info("Postgres tells of no changes: %s", exc)
        finally:
            with self._lock:
                if self._thread is threading.current_thread():
                    self._stop()
            self._wake_all()

    def _is_wanted(self) -> bool:
        now = time.monotonic()
        with self._lock:
            if self._watchers or self._audiences:
                self._watched_at = now
            elif now - self._watched_at > LINGER_S:
                self._stop()  # a watcher that comes now starts another
                return False
            return True

    def _stop(self) -> None:
        self._thread = None
        self.hears = False

    def _wake(self, payload: str) -> None:
        state, owner, job_id = payload.split(" ", 2)
        with self._lock:
            for watch in self._watchers.get(job_id, ()):
                if state in FINAL or not watch.end_only:
                    watch.event.set()
        for audience in self._audiences:
            audience.heard(job_id, owner_id=int(owner) if owner else None, state=state)

    def _wake_all(self) -> None:
        with self._lock:
            for watches in self._watchers.values():
                for watch in watches:
                    watch.event.set()
        for audience in self._audiences:
            audience.missed()


listener = Listener()
os.register_at_fork(after_in_child=listener._forget)  # noqa: SLF001  threads and locks do not survive a fork
