"""A worker's lease on the jobs that it runs: a row of `warren_worker` that it renews while it lives.

    alive       renewed every 5 s
    expired     not renewed for 30 s: whoever claims or reconciles may take the jobs that it holds
    given up    on a clean stop: its jobs go back at once, and that counts as no loss

Owner: one thread of the worker's main process, with a connection of its own; a native one under gevent too, since a
task that blocks the green loop is alive. The forked children of prefork know the lease by its id alone; none is forked
while the thread works, or the child would inherit a lock of the resolver or of libpq that nobody releases. All times
are Postgres'.

    worker dies                the lease expires; RabbitMQ usually gives the messages back long before
    worker cut off from Postgres   the lease expires, its jobs run elsewhere as the next attempt; what it still finishes
                               is of a lost attempt and changes nothing
    RabbitMQ lost, with its messages   Celery ends what runs, and nobody delivers it again: the worker finds that it
                               holds jobs which it does not run, and sends them again
    Postgres away              nobody can claim either. Back again, leases are renewed before any is judged (`relay.py`)
"""

import logging
import os
import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import psycopg

from warren.delivery import direct, outbox, outbox_rows
from warren.delivery.states import State

RENEW_EVERY_S = 5.0
STRAY_S = 15
# Six renewals: a busy machine misses one or two, and a job that waits half a minute for a dead worker is rare.
LEASE_S = 30

_RENEW = """
INSERT INTO warren_worker (id, name, pool, concurrency, queues, started_at, seen_at)
VALUES (%(id)s, %(name)s, %(pool)s, %(concurrency)s, %(queues)s, now(), now())
ON CONFLICT (id) DO UPDATE SET seen_at = now()
"""

# Jobs of this worker wait again as if never started; their messages come back when the connection to the broker ends.
_GIVE_UP = """
WITH given_up AS (
    UPDATE warren_job SET state = 'queued', lease = NULL, queued_at = now()
    WHERE state = 'running' AND lease = %(id)s
)
DELETE FROM warren_worker WHERE id = %(id)s
"""

# Jobs of this worker that it does not run: their attempt ended with the connection to a broker that has lost the
# message too. A job that has just been claimed may not have been told of yet.
_STRAYS = """
SELECT id FROM warren_job
WHERE queue = ANY(%(queues)s) AND state = 'running' AND lease = %(id)s AND id <> ALL(%(running)s)
  AND started_at < now() - %(stray_s)s * interval '1s'
"""

_CANCELLED = "SELECT id FROM warren_job WHERE id = ANY(%s) AND state = 'cancelled'"

log = logging.getLogger(__name__)

_no_fork = threading.Lock()

# of this process; set before a pool forks, so that its children know it
current: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who holds a lease."""

    name: str
    pool: str
    concurrency: int
    queues: str


class Lease:
    """`start()` in the main process, `give_up()` at its end."""

    def __init__(
        self,
        holder: Holder,
        *,
        running: Callable[[], list[str]],
        cancel: Callable[[str], None],
    ) -> None:
        """`running` names the jobs that run here now; `cancel` is told of each that was cancelled meanwhile."""
        global current  # noqa: PLW0603  a process has one lease
        self.id = current = uuid4()
        self._row = {"id": self.id, **vars(holder)}
        self._running = running
        self._cancel = cancel
        self._stopping = threading.Event()
        self._looking = threading.Event()
        # none but prefork forks, and gevent's stand-in of a lock is nothing for a native thread
        self._may_not_fork = _no_fork if holder.pool == "prefork" else nullcontext()
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def start(self) -> None:
        """Begin to renew."""
        if self._row["pool"] == "prefork":
            _make_forks_wait()
        _start_native_thread(self._renew_until_stopped)

    def look(self) -> None:
        """Renew at once, and see at once which jobs were cancelled."""
        self._looking.set()

    def give_up(self) -> None:
        """End it, and let the jobs go. A Postgres that is away is logged: then the lease expires."""
        self._stopping.set()
        self._looking.set()
        try:
            with direct.connect("lease") as connection:
                connection.execute(_GIVE_UP, {"id": self.id})
        except psycopg.Error as exc:
            log.warning("the lease of %s could not be given up and will expire: %s", self._row["name"], exc)

    def _renew_until_stopped(self) -> None:
        while not self._stopping.is_set():
            with self._may_not_fork:
                pause_s = self._try_to_renew()
            self._looking.wait(pause_s)
        self._disconnect()

    def _try_to_renew(self) -> float:
        try:
            self._renew()
        except psycopg.Error as exc:
            log.warning("the lease of %s could not be renewed: %s", self._row["name"], exc)
            self._disconnect()
            return RENEW_EVERY_S / 2
        return RENEW_EVERY_S

    def _disconnect(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None

    def _renew(self) -> None:
        self._looking.clear()
        connection = self._connection = self._connection or direct.connect("lease")
        running = self._running()
        connection.execute(_RENEW, self._row)
        # a cancel also tells workers through RabbitMQ, and sooner; here it reaches them while RabbitMQ is away
        if running:
            for (job_id,) in connection.execute(_CANCELLED, [running]).fetchall():
                self._cancel(job_id)
        mine = {"id": self.id, "queues": self._row["queues"].split(","), "running": running, "stray_s": STRAY_S}
        if strays := [job_id for (job_id,) in connection.execute(_STRAYS, mine).fetchall()]:
            log.warning("%d jobs are held by this worker and do not run: %s", len(strays), ", ".join(strays))
            again = {"ids": strays, "states": [State.RUNNING], "channel": outbox_rows.CHANNEL}
            connection.execute(outbox.SEND_AGAIN, again)


@cache
def _make_forks_wait() -> None:
    os.register_at_fork(before=_no_fork.acquire, after_in_parent=_no_fork.release, after_in_child=_no_fork.release)


def _start_native_thread(target: Callable[[], None]) -> None:
    monkey: Any = sys.modules.get("gevent.monkey")
    if monkey and monkey.is_module_patched("threading"):
        from gevent.threadpool import ThreadPool  # noqa: PLC0415  only the io image has gevent

        ThreadPool(1).spawn(target)
    else:
        threading.Thread(target=target, name="lease", daemon=True).start()
