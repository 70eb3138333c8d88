"""How long what is finished stays: a job for JOB_RETENTION_DAYS after its end, with its history and idempotency key.

A group, and a chord's count of returned parts, stay for as long from their making, and while a part of theirs is open:
a part may wait longer than that for its time, and must find the count when it returns.
"""

from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from warren.delivery import in_batches
from warren.delivery.models import Chord, Job, ResultGroup


def delete_older(than: datetime) -> dict[str, int]:
    """Delete what has been over since before that moment; returns how many of each: `{jobs, groups, chords}`."""
    return {
        "jobs": in_batches.delete(Job.objects.filter(finished_at__lt=than).order_by("finished_at")),
        "groups": in_batches.delete(_over(ResultGroup.objects.filter(created_at__lt=than))),
        "chords": in_batches.delete(_over(Chord.objects.filter(created_at__lt=than))),
    }


def _over[T: (ResultGroup, Chord)](rows: QuerySet[T]) -> QuerySet[T]:
    part = Job.objects.filter(group_id=OuterRef("pk"), finished_at__isnull=True)
    return rows.exclude(Exists(part)).order_by("pk")
