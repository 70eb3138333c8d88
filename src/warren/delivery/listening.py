"""Waking up when a job changes: Postgres tells of each (a trigger on `warren_job`), one connection a process hears it.

    idle        nobody watches a job: no thread, no connection
    listening   a thread holds a connection and sets the event of whoever watches the job that changed

A notification is a hint: whoever is woken reads the row. A lost one is harmless, because watchers look now and then
without being told.

    Postgres away, or the connection lost   every watcher is woken and looks for itself; the next starts to listen anew
    the process forks                       the child begins idle

Owner of the connection: the thread. The lock guards who watches.
"""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from warren.delivery import direct

CHANNEL = "warren_job"
# The connection is kept this long after the last watcher has gone, for the next one.
LINGER_S = 0.5

log = logging.getLogger(__name__)


class Listener:
    """One for each process: `listener` below."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._watchers: dict[str, set[threading.Event]] = {}
        self._thread: threading.Thread | None = None

    @contextmanager
    def watching(self, job_id: str) -> Iterator[threading.Event]:
        """Give an event that is set when the job has changed, or may have; clear it before you look at the job."""
        event = threading.Event()
        with self._lock:
            self._watchers.setdefault(job_id, set()).add(event)
        try:
            yield event
        finally:
            with self._lock:
                self._watchers[job_id].discard(event)
                if not self._watchers[job_id]:
                    del self._watchers[job_id]

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
                while self._is_wanted():
                    for notification in connection.notifies(timeout=LINGER_S):
                        self._wake(notification.payload)
        except psycopg.Error as exc:
            log.info("Postgres tells of no changes: %s", exc)
        finally:
            with self._lock:
                if self._thread is threading.current_thread():
                    self._thread = None
            self._wake_all()

    def _is_wanted(self) -> bool:
        with self._lock:
            if not self._watchers:
                self._thread = None  # a watcher that comes now starts another
            return bool(self._watchers)

    def _wake(self, job_id: str) -> None:
        with self._lock:
            for event in self._watchers.get(job_id, ()):
                event.set()

    def _wake_all(self) -> None:
        with self._lock:
            for events in self._watchers.values():
                for event in events:
                    event.set()


listener = Listener()
os.register_at_fork(after_in_child=listener._forget)  # noqa: SLF001  threads and locks do not survive a fork
