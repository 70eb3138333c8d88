"""When entries run next, for people who look: the very entries that beat reads, asked as beat asks them.

Nothing is written here, though an entry that is read or asked whether it is due may switch itself off.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from celery import Celery
from celery.app import app_or_default
from celery.schedules import ParseException
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django_celery_beat.models import PeriodicTask

from warren.scheduling.clock import Clock
from warren.scheduling.entry import Entry
from warren.scheduling.errors import UnreadableEntryError

OFF = "switched off"
OVER = "over"
SUN = "known to beat alone, which computes the sun's course"


@dataclass(frozen=True, kw_only=True)
class Upcoming:
    """An entry with its next run: None if there is none, and then `why`. One that is due has the present moment."""

    row: PeriodicTask
    at: datetime | None = None
    why: str = ""

    @property
    def words(self) -> str:
        """The schedule in words."""
        schedule: Any = self.row.scheduler
        return str(getattr(schedule, "human_readable", None) or schedule)


class SeenEntry(Entry):
    """An entry that somebody looks at. Raises `UnreadableEntryError` where beat would switch it off."""

    def _disable(self, model: PeriodicTask) -> None:
        raise UnreadableEntryError(f"schedule entry {model.name!r} cannot be read; beat will switch it off")


def of_all() -> list[Upcoming]:
    """All entries, by name; one query, and one for Postgres' time."""
    now = database_now()
    rows = PeriodicTask.objects.select_related("interval", "crontab", "solar", "clocked").order_by("name")
    return of(rows, now=now)


def of(rows: Iterable[PeriodicTask], *, now: datetime) -> list[Upcoming]:
    """These entries; `now` is Postgres' time."""
    clock = Clock()
    clock.set(now)
    app = app_or_default()
    return [_of(row, app=app, clock=clock, now=now) for row in rows]


def database_now() -> datetime:
    """What beat goes by."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def _of(row: PeriodicTask, *, app: Celery, clock: Clock, now: datetime) -> Upcoming:
    if not row.enabled:
        return Upcoming(row=row, why=OFF)
    if (row.one_off and row.total_run_count) or (row.expires and row.expires <= now):
        return Upcoming(row=row, why=OVER)
    if row.solar_id and not _knows_the_sun():
        return Upcoming(row=row, why=SUN)
    last_run_at = row.last_run_at
    try:
        due: Any = SeenEntry(row, app=app, clock=clock).is_due()
    except (ValueError, AttributeError, ParseException, UnreadableEntryError) as exc:
        return Upcoming(row=row, why=f"it cannot be read: {exc}")
    finally:
        row.last_run_at = last_run_at  # upstream fills in a missing one
    return Upcoming(row=row, at=now if due.is_due else now + timedelta(seconds=due.next))


def _knows_the_sun() -> bool:
    """Only beat's image has the package."""
    try:
        import ephem  # noqa: F401, PLC0415  asked for here, where it may be missing
    except (ImportError, ImproperlyConfigured):
        return False
    return True
