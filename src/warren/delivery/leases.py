"""A worker's lease on the jobs that it runs: a row of `warren_worker` that it renews while it lives.

    alive       renewed every 5 s
    expired     not renewed for 30 s: whoever claims or reconciles may take the jobs that it holds
    given up    on a clean stop: its jobs go back at once, and that counts as no loss

Owner: one thread of the worker's main process (`lease_thread.py`), with a connection of its own. The forked children of
prefork know the lease by its id alone. All times are Postgres'.

    worker dies                the lease expires; RabbitMQ usually gives the messages back long before
    worker cut off from Postgres   the lease expires, its jobs run elsewhere as the next attempt; what it still finishes
                               is of a lost attempt and changes nothing
    RabbitMQ lost, with its messages   Celery ends what runs, and nobody delivers it again: the worker finds that it
                               holds jobs which it does not run, and sends them again
    Postgres away              nobody can claim either. Back again, leases are renewed before any is judged (`relay.py`)
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

import psycopg

from warren.delivery import direct, lease_rows, lease_thread

RENEW_EVERY_S = 5.0
# Six renewals: a busy machine misses one or two, and a job that waits half a minute for a dead worker is rare.
LEASE_S = 30

log = logging.getLogger(__name__)

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
        self._pool = holder.pool
        self._connection: lease_rows.Connection | None = None
        self.failed_renewals = 0  # a plain number: under gevent the thread that counts is none of its locks' own

    def start(self) -> None:
        """Begin to renew."""
        lease_thread.start(self._renew_until_stopped, pool=self._pool)

    def look(self) -> None:
        """Renew at once, and see at once which jobs were cancelled."""
        self._looking.set()

    def give_up(self) -> None:
        """End it, and let the jobs go. A Postgres that is away is logged: then the lease expires."""
        self._stopping.set()
        self._looking.set()
        try:
            with direct.connect("lease") as connection:
                lease_rows.give_up(connection, self._row)
        except psycopg.Error as exc:
            log.warning("the lease of %s could not be given up and will expire: %s", self._row["name"], exc)

    def _renew_until_stopped(self) -> None:
        while not self._stopping.is_set():
            with lease_thread.while_nobody_forks(pool=self._pool):
                pause_s = self._try_to_renew()
            self._looking.wait(pause_s)
        self._disconnect()

    def _try_to_renew(self) -> float:
        try:
            self._renew()
        except psycopg.Error as exc:
            log.warning("the lease of %s could not be renewed: %s", self._row["name"], exc)
        except Exception:  # the thread must live: without it every job of a healthy worker runs twice
            log.exception("the lease of %s could not be renewed", self._row["name"])
        else:
            return RENEW_EVERY_S
        self.failed_renewals += 1
        self._disconnect()
        return RENEW_EVERY_S / 2

    def _disconnect(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None

    def _renew(self) -> None:
        self._looking.clear()
        connection = self._connection = self._connection or direct.connect("lease")
        running = self._running()
        lease_rows.renew(connection, self._row)
        # a cancel also tells workers through RabbitMQ, and sooner; here it reaches them while RabbitMQ is away
        for job_id in lease_rows.cancelled(connection, running):
            self._cancel(job_id)
        if strays := lease_rows.send_strays_again(connection, self._row, running=running):
            log.warning("%d jobs are held by this worker and do not run: %s", len(strays), ", ".join(strays))
