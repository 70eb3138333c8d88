"""Which jobs a report is of, read a page at a time: by key, so that no transaction or cursor stays open meanwhile."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q, QuerySet

from apps.reports.limits import MOST_ROWS, TooMuchError
from warren.delivery.models import Job

PAGE = 1000  # rows: a megabyte or so


class Row(NamedTuple):
    """A job, as a report tells of it. Not its arguments or its result, which may be large, and others' secrets."""

    id: str
    task: str
    queue: str
    state: str
    attempt: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Scope:
    """One person's jobs that were accepted at `start` or later, and before `end`."""

    owner_id: int
    start: datetime
    end: datetime

    def jobs(self) -> QuerySet[Job]:
        return Job.objects.filter(owner_id=self.owner_id, created_at__gte=self.start, created_at__lt=self.end)

    def count(self) -> int:
        """How many jobs. Raises `TooMuchError` for more than a report takes."""
        found = self.jobs().order_by()[: MOST_ROWS + 1].count()
        if found > MOST_ROWS:
            raise TooMuchError(f"The range has more than {MOST_ROWS} jobs; choose a shorter one.")
        return found

    def pages(self) -> Iterator[list[Row]]:
        """All rows, the oldest first. A job's state is the one that it has when its page is read."""
        jobs = self.jobs().order_by("created_at", "pk").values_list(*Row._fields)
        page = [Row(*each) for each in jobs[:PAGE]]
        while page:
            yield page
            page = [Row(*each) for each in jobs.filter(_after(page[-1]))[:PAGE]]


def _after(row: Row) -> Q:
    # the first condition is implied, and is the one that Postgres begins to read the index at
    return Q(created_at__gte=row.created_at) & (Q(created_at__gt=row.created_at) | Q(pk__gt=row.id))
