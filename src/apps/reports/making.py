"""Makes a report: reads, writes and stores it, a page at a time."""

from collections.abc import Callable, Iterator
from typing import IO

from django.contrib.auth import get_user_model
from django.core.files.storage import default_storage
from django.utils import timezone

from apps.reports import csv_file, storing, summary
from apps.reports.limits import MOST_KEPT, TooMuchError
from apps.reports.models import Kind, Report
from apps.reports.scope import Row, Scope
from warren.delivery import cancellation

type Tell = Callable[[int, int], None]


class NobodysJobsError(Exception):
    """A report is of somebody's jobs, and this job belongs to nobody; submit it within `owned_by`."""


def make(job_id: str, *, kind: str, scope: Scope, attempt: int, tell: Tell) -> Report:
    """Write the file, then its row; both replace what an earlier attempt left.

    `tell` is called with how many jobs are written, and of how many. Raises `TooMuchError`.
    """
    scope = Scope(owner_id=scope.owner_id, start=scope.start, end=min(scope.end, timezone.now()))
    refuse_too_many(scope.owner_id, but=job_id)
    total = scope.count()
    pages = _Told(scope.pages(), total=total, tell=tell)
    name = storing.name_of(job_id, kind=kind)
    with storing.whole(name, attempt=attempt) as file:
        _write(file, kind=kind, scope=scope, pages=iter(pages))
    values = {
        "owner_id": scope.owner_id,
        "kind": kind,
        "start": scope.start,
        "end": scope.end,
        "file": name,
        "bytes": default_storage.size(name),
        "rows": pages.done,
    }
    report, _ = Report.objects.update_or_create(pk=job_id, defaults=values)
    return report


def refuse_too_many(owner_id: int, *, but: str = "") -> None:
    """Raise `TooMuchError` if this person has as many reports as are kept, `but` not counted."""
    kept = Report.objects.filter(owner_id=owner_id).exclude(pk=but).count()
    if kept >= MOST_KEPT:
        raise TooMuchError(f"You have {kept} reports, and no more are kept; delete one of /api/reports/.")


class _Told:
    """Pages, of which each is told when the next one is asked for; `done` is how many rows they had."""

    def __init__(self, pages: Iterator[list[Row]], *, total: int, tell: Tell) -> None:
        self._pages, self._total, self._tell = pages, total, tell
        self.done = 0

    def __iter__(self) -> Iterator[list[Row]]:
        for page in self._pages:
            yield page
            self.done += len(page)
            self._tell(self.done, max(self._total, self.done))
            cancellation.raise_if_cancelled()


def _write(file: IO[bytes], *, kind: str, scope: Scope, pages: Iterator[list[Row]]) -> None:
    if kind == Kind.CSV:
        csv_file.write(file, pages=pages)
        return
    from apps.reports import pdf_file  # noqa: PLC0415  only worker-cpu has reportlab

    person = get_user_model().objects.values_list("email", flat=True).get(pk=scope.owner_id)
    pdf_file.write(file, scope=scope, person=person, summary=summary.of(scope), pages=pages)
