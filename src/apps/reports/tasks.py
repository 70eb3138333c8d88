"""Reports burn a core, so they are made on cpu, where the files are too."""

from datetime import datetime, timedelta
from typing import Any

from celery import Task, shared_task
from django.urls import reverse
from django.utils import timezone

from apps.reports import making, tidying
from apps.reports.scope import Scope
from apps.reports.serializers import ReportArguments
from warren.delivery.ownership import current_owner_id

# a file is written seconds before its row
GRACE = timedelta(days=1)


@shared_task(queue="cpu", bind=True, arguments=ReportArguments)  # type: ignore[call-overload, untyped-decorator]  # arguments= is ours
def make_report(self: "Task[..., dict[str, Any]]", kind: str, start: datetime, end: datetime) -> dict[str, Any]:
    """Write a report of one's own jobs over a time range, as CSV or as PDF with a chart.

    Tells how many jobs are written; returns `{report, kind, rows, bytes, url}`; the url is a path on this site.
    """
    owner_id = current_owner_id()
    if owner_id is None:
        raise making.NobodysJobsError(making.NobodysJobsError.__doc__)
    request: Any = self.request
    report = making.make(
        request.id,
        kind=kind,
        scope=Scope(owner_id=owner_id, start=start, end=end),
        attempt=getattr(request, "job_attempt", 0),
        tell=lambda done, of: self.update_state(state="PROGRESS", meta={"done": done, "of": of}),
    )
    url = reverse("reports-file", args=[report.pk])
    return {"report": report.pk, "kind": kind, "rows": report.rows, "bytes": report.bytes, "url": url}


@shared_task(queue="cpu")
def tidy_reports() -> dict[str, int]:
    """Delete reports whose job is gone, files without a row and rows without a file; returns how many of each."""
    return tidying.tidy(before=timezone.now() - GRACE)
