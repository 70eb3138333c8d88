"""How a report is tried in the browser."""

from datetime import datetime, timedelta
from typing import Any

from django.core.files.storage import default_storage
from django.utils import timezone

from apps.reports.models import Report
from apps.reports.tasks import make_report
from warren.try_it.trials import Trial, register


def last_week(now: datetime) -> dict[str, str]:
    """Seven days until now, as the clock of TIME_ZONE shows them."""
    local = timezone.localtime(now).replace(microsecond=0, tzinfo=None)
    return {"kind": "pdf", "start": (local - timedelta(days=7)).isoformat(), "end": local.isoformat()}


def present(result: Any) -> dict[str, Any]:
    """The result, and whether its file is still there: a link must lead somewhere."""
    report = Report.objects.filter(pk=result["report"]).first()
    return {"report": report, "is_there": report is not None and default_storage.exists(str(report.file.name))}


register(
    Trial(
        task=make_report.name,
        title="Report on your jobs",
        summary="A file, made while you see how far it is. Jobs of up to a year, at most 100 000.",
        button="Make it",
        initial=last_week,
        result_template="reports/tried.html",
        present=present,
        order=40,
    )
)
