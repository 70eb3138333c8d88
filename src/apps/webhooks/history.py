"""How a job's deliveries went, as people are shown it; four queries, however many there are."""

from dataclasses import dataclass
from datetime import datetime

from apps.webhooks import callback_urls
from apps.webhooks.models import Attempt, Delivery, Redelivery
from warren.delivery import on_final
from warren.delivery.models import Job
from warren.delivery.states import State

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
    rows = list(Delivery.objects.filter(job=job).defer("body").prefetch_related("attempts", "redeliveries__by"))
    jobs = Job.objects.only("state", "available_at").in_bulk([row.task_id for row in rows]) if rows else {}
    return Told(
        callback_url=callback_url,
        deliveries=[_shown(row, jobs.get(row.task_id)) for row in rows],
    )


def _shown(row: Delivery, job: Job | None) -> Shown:
    status = _status(row, job)
    waits = status == WAITING and job is not None and job.state == State.RETRYING
    return Shown(
        id=row.pk,
        event=row.event,
        url=callback_urls.shown(row.url),
        status=status,
        created_at=row.created_at,
        delivered_at=row.delivered_at,
        next_attempt_at=job.available_at if job and waits else None,
        task_id=row.task_id,
        attempts=list(row.attempts.all()),
        redeliveries=list(row.redeliveries.all()),
    )


def _status(row: Delivery, job: Job | None) -> str:
    if row.delivered_at:
        return DELIVERED
    return WAITING if job and not job.is_final else GIVEN_UP


def _callback_url(job: Job) -> str | None:
    if on_final.HEADER in job.message:  # else there is no need to read it
        wanted = job.envelope.headers.get(on_final.HEADER) or {}
        if url := wanted.get("value", {}).get("url"):
            return callback_urls.shown(url)
    return None
