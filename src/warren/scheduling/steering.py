"""What people do to entries by hand: switch them on and off, and run them now. Each is recorded, with who did it.

The record and the change are one transaction. Beat sees a switch within ten seconds, as every change (`digest.py`).
"""

from datetime import datetime

from celery.app import app_or_default
from celery.schedules import ParseException
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models.functions import Now
from django_celery_beat.models import PeriodicTask
from kombu.utils.uuid import uuid

from warren.delivery.ownership import owned_by
from warren.scheduling import firing, upcoming
from warren.scheduling.clock import Clock
from warren.scheduling.errors import UnreadableEntryError
from warren.scheduling.models import ScheduleEvent
from warren.scheduling.upcoming import SeenEntry


@transaction.atomic
def switch(pk: int, *, enabled: bool, by: int) -> bool:
    """Switch the entry on or off for the user `by`; False, and nothing recorded, if it is so already.

    What it missed while it was off it does not catch up on: switched on, it waits for its next time, as one that the
    admin switches. Raises `PeriodicTask.DoesNotExist`.
    """
    row = PeriodicTask.objects.select_for_update().get(pk=pk)
    if row.enabled == enabled:
        return False
    forgotten = {"last_run_at": None} if enabled else {}
    PeriodicTask.objects.filter(pk=pk).update(enabled=enabled, date_changed=Now(), **forgotten)
    row.enabled = enabled
    record_switch(row, by=by)
    return True


def record_switch(row: PeriodicTask, *, by: int) -> None:
    """Record that the user `by` has switched the entry to what it is now; for who saves the row, in one transaction."""
    _record(row, kind=ScheduleEvent.Kind.ENABLED if row.enabled else ScheduleEvent.Kind.DISABLED, by=by)


@transaction.atomic
def run_now(pk: int, *, by: int) -> str:
    """Accept the entry's job now, owned by the user `by`; its id. The entry's own times stay as they are.

    Raises `PeriodicTask.DoesNotExist`, `UnreadableEntryError`, and as `apply_async` does.
    """
    row = PeriodicTask.objects.get(pk=pk)
    now, job_id = upcoming.database_now(), uuid()
    entry = _entry(row, now=now)
    try:
        with owned_by(by):
            firing.fire(entry, app=entry.app, job_id=job_id, now=now)
    except TypeError as exc:  # Celery's, of arguments that the task does not take
        raise UnreadableEntryError(f"schedule entry {row.name!r} does not fit its task: {exc}") from exc
    _record(row, kind=ScheduleEvent.Kind.RUN, by=by, job_id=job_id)
    return job_id


def _entry(row: PeriodicTask, *, now: datetime) -> SeenEntry:
    clock = Clock()
    clock.set(now)
    app = app_or_default()
    try:
        return SeenEntry(row, app=app, clock=clock)
    except (ValueError, AttributeError, ParseException, ImproperlyConfigured) as exc:
        raise UnreadableEntryError(f"schedule entry {row.name!r} cannot be read: {exc}") from exc


def _record(row: PeriodicTask, *, kind: ScheduleEvent.Kind, by: int, job_id: str = "") -> None:
    ScheduleEvent.objects.create(periodic_task_id=row.pk, name=row.name, kind=kind, actor_id=by, job_id=job_id)
