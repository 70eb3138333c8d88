"""Beat's scheduler: django-celery-beat's, which reads its entries from Postgres.

States: reading the schedule → waiting for the next due entry (at most five seconds) → firing it → waiting …

Owner: one thread, beat's main thread; a SIGTERM ends its sleep, and with it beat. Two beats may fire twice: electing
one has its place in `apply_entry`, where a tick becomes a job.

    Postgres away   the tick is given up, the connection closed, the schedule read anew and the tick tried again. Beat
                    stays alive, because it turns; what fell due meanwhile fires once when Postgres is back
    beat dies       an entry's job and the time of its run are committed together, so it has fired and is noted, or it
                    fires, once, at the next start
    beat hangs      `ticked` is sent no more, and `beat.alive` goes stale
"""

import logging
import time
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

from warren.scheduling import code_entries, digest
from warren.scheduling.signals import ticked

LOOK_FOR_CHANGES_EVERY_S = 4.0  # an edit takes effect within this and one loop, which is ten seconds
RETRY_S = 1.0

log = logging.getLogger(__name__)


class Scheduler(DatabaseScheduler):  # type: ignore[misc]  # django-celery-beat ships no types
    """Reads, waits and fires; says so by `ticked` each time."""

    producer = None  # jobs go through the outbox; the inherited one would connect to RabbitMQ
    _digest = ""
    _looked_at = float("-inf")

    def setup_schedule(self) -> None:
        """Bring the entries from code into the database. Raises `BadEntryError`: a broken app stops the start."""
        self.app.finalize()
        code_entries.synchronise(self.app.conf.beat_schedule, tasks=self.app.tasks)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Fire what is due; returns the seconds until the next look."""
        try:
            wait_s = float(super().tick(*args, **kwargs))
        except (OperationalError, InterfaceError) as exc:
            log.warning("Postgres is away; beat tries again in %s s: %s", RETRY_S, exc)
            self._start_over()
            wait_s = RETRY_S
        ticked.send(sender=type(self))
        return wait_s

    def reserve(self, entry: ModelEntry) -> ModelEntry:
        """The entry as it is after this run; `apply_entry` notes it, not a later sync.

        It takes its place in what was read: upstream keeps the old one, and may find it due a second time.
        """
        self._schedule[entry.name] = after = next(entry)
        return after

    def apply_entry(self, entry: ModelEntry, producer: None = None) -> None:  # noqa: ARG002  Celery passes it
        """Accept the job of one due entry and note its run, in one transaction.

        A missing Postgres is raised; any other error concerns this entry only and is logged.
        """
        try:
            with transaction.atomic():
                if self._note_run(entry):
                    self._accept(entry)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            log.exception("schedule entry %r could not be fired", entry.name)

    def schedule_changed(self) -> bool:
        """Whether the schedule must be read again; looks only now and then, since Celery asks several times a tick."""
        if time.monotonic() - self._looked_at < LOOK_FOR_CHANGES_EVERY_S:
            return False
        before, self._digest = self._digest, digest.of_schedule()
        self._looked_at = time.monotonic()
        return before != self._digest

    def enabled_models_qs(self) -> Any:
        """All enabled entries. Upstream leaves out crontabs of other hours, and so forgets what fell due meanwhile."""
        return PeriodicTask.objects.enabled()

    def _note_run(self, entry: ModelEntry) -> bool:
        run = {"last_run_at": entry.model.last_run_at, "total_run_count": entry.model.total_run_count}
        if PeriodicTask.objects.filter(pk=entry.model.pk, enabled=True).update(**run):
            return True
        log.info("schedule entry %r was deleted or switched off meanwhile", entry.name)
        return False

    def _accept(self, entry: ModelEntry) -> None:
        log.info("firing schedule entry %r (%s)", entry.name, entry.task)
        headers = {**entry.options.get("headers", {}), "celery_beat_task": True}
        options = {**entry.options, "headers": headers}
        task = self.app.tasks.get(entry.task)
        if task is None:
            self.app.send_task(entry.task, entry.args, entry.kwargs, **options)
        else:
            task.apply_async(entry.args, entry.kwargs, **options)

    def _start_over(self) -> None:
        """Forget the connection and all that was read."""
        connection.close()
        self._heap = None
        self._initial_read = True
