"""Deletes reports whose time is over, and brings files and rows into agreement."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Exists, OuterRef

from apps.reports.models import Report
from apps.reports.storing import FOLDER
from warren.delivery import in_batches
from warren.delivery.models import Job
from warren.maintenance import files


def tidy(*, before: datetime) -> dict[str, int]:
    """Delete what is left of before that moment; returns how many: `{over, lost, files}`.

    A report is over when its job is (JOB_RETENTION_DAYS): no job that can be seen leads to a report that is not there.
    """
    old = Report.objects.filter(created_at__lt=before)
    over = old.exclude(Exists(Job.objects.filter(pk=OuterRef("pk"))))
    return {
        "over": in_batches.delete(over.order_by("pk")),
        "lost": files.delete_rows(Report.objects.all(), keys=files.rows_without(old)),
        "files": files.delete_unknown(FOLDER, known=_known, before=before),
    }


def _known(names: Collection[str]) -> Collection[str]:
    return set(Report.objects.filter(file__in=names).values_list("file", flat=True))
