"""How a job's deliveries went, as people are shown it: three queries for any number, one while there is none."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery

from apps.webhooks import callback_urls
from apps.webhooks.models import Attempt, Delivery, Redelivery
from warren.delivery import on_final
from warren.delivery.models import Job
from warren.delivery.states import FINAL, State

DELIVERED, WAITING, GIVEN_UP = "delivered", "waiting", "given_up"
STATUSES = (DELIVERED, WAITING, GIVEN_UP)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One delivery, without what is secret."""

    id: str
    event: str
    url: str
    status: str
    created_at: datetime
    delivered_at: datetime | None
    next_attempt_at: datetime | None
    task_id: str
    attempts: list[Attempt]
    redeliveries: list[Redelivery]


@dataclass(frozen=True, kw_only=True)
class Told:
    """The job's receiver, and what it was told, oldest first."""

    callback_url: str | None
    deliveries: list[Shown]


NOBODY = Told(callback_url=None, deliveries=[])


def of(job: Job) -> Told | None:
    """What the job's receiver was told; None, without a query, for a job that has none."""
    callback_url = _callback_url(job)
    if callback_url is None:
        return None
    return Told(callback_url=callback_url, deliveries=[_shown(row) for row in _deliveries(job)])


def _deliveries(job: Job) -> QuerySet[Delivery, Any]:
    """With `task_state` and `task_available_at` of the job that delivers each; None if that has been deleted."""
    delivers = Job.objects.filter(pk=OuterRef("task_id"))
    rows = Delivery.objects.filter(job=job).defer("body")
    return rows.annotate(
        task_state=Subquery(delivers.values("state")), task_available_at=Subquery(delivers.values("available_at"))
    ).prefetch_related("attempts", Prefetch("redeliveries", Redelivery.objects.select_related("by")))


def _shown(row: Any) -> Shown:
    status = _status(row)
    waits = status == WAITING and row.task_state == State.RETRYING
    return Shown(
        id=row.pk,
        event=row.event,
        url=callback_urls.shown(row.url),
        status=status,
        created_at=row.created_at,
        delivered_at=row.delivered_at,
        next_attempt_at=row.task_available_at if waits else None,
        task_id=row.task_id,
        attempts=list(row.attempts.all()),
        redeliveries=list(row.redeliveries.all()),
    )


def _status(row: Any) -> str:
    if row.delivered_at:
        return DELIVERED
    return GIVEN_UP if row.task_state is None or row.task_state in FINAL else WAITING


def _callback_url(job: Job) -> str | None:
    if on_final.HEADER in job.message:  # else there is no need to read it
        wanted = job.envelope.headers.get(on_final.HEADER) or {}
        if url := wanted.get("value", {}).get("url"):
            return callback_urls.shown(url)
    return None
