"""Brings the entries that come from code (SCHEDULE of the apps) into the database, where people edit schedules too.

Who owns what of an entry that comes from code:
    code      everything but the switch: what the admin changes there lasts until beat's next start
    people    `enabled`; an entry that is switched off stays so across deploys
    beat      when it last ran, and how often

An entry that code no longer names is deleted, and with it its switch; what it has run stays visible as jobs. Entries
that people made are never touched, unless code takes their name.
"""

import logging
from collections.abc import Container, Mapping
from typing import Any

from celery import schedules
from django.db import connection, transaction
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import ModelEntry

from warren.scheduling.errors import BadEntryError
from warren.scheduling.models import CodeEntry

KNOWN = {"task", "schedule", "args", "kwargs", "options", "enabled", "description"}
KNOWN_OPTIONS = {"queue", "priority", "headers", "expires"}

_ONE_AT_A_TIME = 7_238_002  # any number, the same in every beat, and nobody else's

log = logging.getLogger(__name__)


@transaction.atomic
def synchronise(entries: Mapping[str, Mapping[str, Any]], *, tasks: Container[str]) -> None:
    """Make the database's entries from code equal `entries`, in Celery's `beat_schedule` form, by name.

    `tasks` holds the names that exist. Raises `BadEntryError`, and then nothing is changed.
      1. wait until no other beat that starts does the same
      2. delete what code named before and no longer names
      3. write what code names, leaving the switch and the time of the last run alone
      4. mark it as coming from code
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_AT_A_TIME])
    PeriodicTask.objects.filter(pk__in=CodeEntry.objects.values("pk")).exclude(name__in=entries).delete()
    for name, entry in entries.items():
        fields = _fields(name, entry, tasks)
        enabled = {"enabled": entry.get("enabled", True)}
        row, created = PeriodicTask.objects.get_or_create(name=name, defaults=fields | enabled)
        if not created and any(getattr(row, field) != value for field, value in fields.items()):
            PeriodicTask.objects.update_or_create(pk=row.pk, defaults=fields)
        _, adopted = CodeEntry.objects.get_or_create(periodic_task=row)
        if adopted and not created:
            log.warning("schedule entry %r was made by hand; code names it now and has taken it over", name)


def _fields(name: str, entry: Mapping[str, Any], tasks: Container[str]) -> dict[str, Any]:
    options = dict(entry.get("options", {}))
    for given, known in ((entry, KNOWN), (options, KNOWN_OPTIONS)):
        if unknown := given.keys() - known:
            raise BadEntryError(f"schedule entry {name!r}: unknown {sorted(unknown)}; known are {sorted(known)}")
    if entry.get("task") not in tasks:
        raise BadEntryError(f"schedule entry {name!r}: there is no task {entry.get('task')!r}")
    schedule: Any = schedules.maybe_schedule(entry["schedule"]) if "schedule" in entry else None
    _check_interval(name, schedule)
    options["expire_seconds"] = options.pop("expires", None)
    unpacked: dict[str, Any] = ModelEntry._unpack_fields(  # noqa: SLF001  the one place that knows all its columns
        schedule=schedule,
        args=entry.get("args"),
        kwargs=entry.get("kwargs"),
        options=options,
        task=entry["task"],
        description=entry.get("description", ""),
    )
    return unpacked


def _check_interval(name: str, schedule: Any) -> None:
    if not isinstance(schedule, schedules.BaseSchedule):
        raise BadEntryError(f"schedule entry {name!r}: {schedule!r} is no schedule; use seconds, crontab or solar")
    every = getattr(schedule, "run_every", None)
    if type(schedule) is schedules.schedule and every and every.total_seconds() % 1:
        raise BadEntryError(f"schedule entry {name!r}: an interval is whole seconds, not {every}")
