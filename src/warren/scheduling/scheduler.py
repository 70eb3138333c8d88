"""Beat's scheduler: django-celery-beat's, which reads its entries from Postgres.

States: following (`leader`) → leading: reading the schedule → waiting for the next due entry (at most a second) →
firing it → waiting …

Owner: one thread, beat's main thread; a SIGTERM ends its sleep, and with it beat. A tick fires once, because
    only the leader fires   its transaction holds the leader's lock, and is rolled back when the leadership is taken
    it compares and sets    the entry's last run is still what the leader read, or nothing is written
    its job's id is fixed   made of the entry and its last run: a run that somebody writes back (the admin saves whole
                            rows) finds its id taken
    one clock counts        Postgres' (`clock`), so a beat whose own clock is an hour off fires neither early nor twice

    Postgres away   the tick is given up, the connection closed and the leadership with it; then all is read anew. Beat
                    stays alive, because it turns; what fell due meanwhile fires once when Postgres is back
    beat dies       an entry's job and the time of its run are committed together, so it has fired and is noted, or it
                    fires, once, by the next leader
    beat hangs      `ticked` is sent no more, `beat.alive` goes stale, and another beat takes the lead
"""

import logging
import socket
import time
from typing import Any

from celery.schedules import ParseException
from django.db import InterfaceError, OperationalError, connection, transaction
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler

from warren.delivery.models import Job
from warren.scheduling import code_entries, digest, firing, metrics
from warren.scheduling.clock import Clock
from warren.scheduling.entry import Entry
from warren.scheduling.leader import LOOK_EVERY_S, Leader
from warren.scheduling.signals import ticked
from warren.telemetry import tracing

LOOK_FOR_CHANGES_EVERY_S = 4.0  # an edit takes effect within this and one loop, which is ten seconds
RETRY_S = 1.0

log = logging.getLogger(__name__)


class Scheduler(DatabaseScheduler):  # type: ignore[misc]  # django-celery-beat ships no types
    """Follows or leads; as the leader reads, waits and fires. Says so by `ticked` each time."""

    producer = None  # jobs go through the outbox; the inherited one would connect to RabbitMQ
    _digest = ""
    _looked_at = float("-inf")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._clock = Clock()
        self._leader = Leader(name=socket.gethostname(), clock=self._clock)
        super().__init__(*args, **kwargs)

    def setup_schedule(self) -> None:
        """Bring the entries from code into the database. Raises `BadEntryError`: a broken app stops the start."""
        self.app.finalize()
        code_entries.synchronise(self.app.conf.beat_schedule, tasks=self.app.tasks)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Fire what is due, if this beat leads; returns the seconds until the next look."""
        try:
            wait_s = self._turn(*args, **kwargs)
        except (OperationalError, InterfaceError) as exc:
            log.warning("Postgres is away; beat tries again in %s s: %s", RETRY_S, exc)
            self._start_over()
            wait_s = RETRY_S
        metrics.TURNED_AT.set_to_current_time()
        metrics.LEADS.set(self._leader.leads)
        ticked.send(sender=type(self))
        return wait_s

    def reserve(self, entry: Entry) -> Entry:
        """The entry as it is after this run; `apply_entry` notes it, not a later sync.

        It takes its place in what was read: upstream keeps the old one, and may find it due a second time.
        """
        self._schedule[entry.name] = after = next(entry)
        return after

    def apply_entry(self, entry: Entry, producer: None = None) -> None:  # noqa: ARG002  Celery passes it
        """Accept the job of one due entry and note its run, in one transaction.

          1. make sure that no other beat leads until the commit
          2. note the run, if the last one is still the one that was read
          3. accept the job

        A missing Postgres is raised; any other error concerns this entry only and is logged.
        """
        after = self._schedule[entry.name]
        try:
            with tracing.span(f"tick {entry.name}", **{"warren.task": entry.task}), transaction.atomic():
                if noted := self._leader.may_write() and self._note_run(entry, after):
                    self._accept(entry)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            after.read = entry.read  # nothing was written
            log.exception("schedule entry %r could not be fired", entry.name)
        else:
            if noted:
                metrics.RUNS.inc()
            else:
                self._read_anew()

    def schedule_changed(self) -> bool:
        """Whether the schedule must be read again; looks only now and then, since Celery asks several times a tick."""
        if time.monotonic() - self._looked_at < LOOK_FOR_CHANGES_EVERY_S:
            return False
        before, self._digest = self._digest, digest.of_schedule()
        self._looked_at = time.monotonic()
        return before != self._digest

    def all_as_schedule(self) -> dict[str, Entry]:
        """All enabled entries, by name; one that cannot be read is logged, and left out.

        Upstream leaves out crontabs of other hours, and so forgets what fell due meanwhile.
        """
        entries = {}
        for row in PeriodicTask.objects.enabled():
            try:
                entries[row.name] = Entry(row, app=self.app, clock=self._clock)
            except (ValueError, AttributeError, ParseException):
                log.exception("schedule entry %r cannot be read", row.name)
        return entries

    def sync(self) -> None:
        """Nothing is written late. Upstream asks the connection here, also from within a signal handler."""

    def _turn(self, *args: Any, **kwargs: Any) -> float:
        led = self._leader.leads
        if not self._leader.hold():
            return LOOK_EVERY_S
        if not led:
            self._read_anew()
        return min(float(super().tick(*args, **kwargs)), LOOK_EVERY_S)

    def _note_run(self, entry: Entry, after: Entry) -> bool:
        run = {"last_run_at": after.model.last_run_at, "total_run_count": after.model.total_run_count}
        if entry.read.of(entry.model.pk).update(**run):
            return True
        log.info("schedule entry %r was fired, changed or switched off meanwhile", entry.name)
        return False

    def _accept(self, entry: Entry) -> None:
        # asked here, because the outbox takes a running job's id for that job's retry
        if Job.objects.filter(pk=entry.tick_id).exists():
            log.warning("schedule entry %r has fired this tick before, as job %s", entry.name, entry.tick_id)
            return
        log.info("firing schedule entry %r (%s) as job %s", entry.name, entry.task, entry.tick_id)
        firing.fire(entry, app=self.app, job_id=entry.tick_id, now=self._clock.now())

    def _read_anew(self) -> None:
        """Forget all that was read."""
        self._heap = None
        self._initial_read = True

    def _start_over(self) -> None:
        """Forget the connection, the leadership and all that was read."""
        connection.close()
        self._leader.forget()
        self._read_anew()
