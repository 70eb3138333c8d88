"""Deliveries from their first attempt to their end.

first run        the delivery is written, with its body, before anything is sent
each attempt     its row is written before the call and filled in after it, so that a worker which dies in the call
                 leaves a trace; the job then runs again: at least once
taken            `delivered_at` is set; whatever job of the delivery runs after that calls nobody
redelivered      `delivered_at` is cleared and a new job made, in one transaction, with who asked for it
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from kombu.utils.uuid import uuid

from apps.webhooks import backoff, calling, payloads, receivers, signing, signing_secrets
from apps.webhooks.calling import Answer
from apps.webhooks.errors import NoSecretError, NothingToRepeatError
from apps.webhooks.models import Attempt, Delivery, Redelivery
from warren.delivery import pooled
from warren.delivery.models import Job
from warren.delivery.ownership import owned_by
from warren.delivery.states import State

USER_AGENT = "Warren-Webhooks/1"


def first(delivery_id: str, *, job_id: str, state: str, ended_at: datetime, url: str) -> Delivery | None:
    """The delivery of this end of the job, made by the first who asks; None if the job has been deleted since."""
    if found := Delivery.objects.select_related("job").filter(pk=delivery_id).first():
        return found
    job = Job.objects.select_related("owner").filter(pk=job_id).first()
    if job is None:
        return None
    body = payloads.of(job, delivery_id=delivery_id, state=state, ended_at=ended_at)
    made = {"job": job, "event": payloads.event_type(state), "url": url, "body": body, "task_id": delivery_id}
    return Delivery.objects.get_or_create(pk=delivery_id, defaults=made)[0]


def attempt(delivery: Delivery, *, now: datetime) -> Answer:
    """Make one call, and note what came of it."""
    number = delivery.attempts.count() + 1
    noted = Attempt.objects.create(delivery=delivery, at=now)
    answer = _call(delivery, number=number, now=now)
    Attempt.objects.filter(pk=noted.pk).update(
        status=answer.status, reason=answer.reason, duration_ms=answer.duration_ms
    )
    if answer.is_taken:
        Delivery.objects.filter(pk=delivery.pk).update(delivered_at=timezone.now())
    return answer


def pause_s(answer: Answer, *, retries: int, now: datetime) -> float | None:
    """Seconds until the next attempt; None if there is to be none."""
    if answer.is_final:
        return None
    return backoff.delay_s(retries=retries, asked_s=backoff.asked_for(answer.retry_after, now=now))


def repeat(delivery: Delivery, *, by_id: int) -> Redelivery:
    """Make the call once more, because this user says so. Raises `NothingToRepeatError` while it is about to be made.

    Whoever waits for the next attempt of a call that failed gets it now. The job that would have made it finds it
    taken, or makes it too, which the receiver can tell by the id.
    """
    from apps.webhooks import tasks  # noqa: PLC0415  which delivers through this module

    task_id = uuid()
    with transaction.atomic():
        locked = Delivery.objects.select_for_update(of=("self",)).select_related("job").get(pk=delivery.pk)
        if _is_about_to_be_made(locked):
            raise NothingToRepeatError
        Delivery.objects.filter(pk=locked.pk).update(task_id=task_id, delivered_at=None)
        noted = Redelivery.objects.create(delivery=locked, by_id=by_id, task_id=task_id)
        with owned_by(locked.job.owner_id):
            redeliver: Any = tasks.redeliver  # celery-types lacks parent_id
            redeliver.apply_async((locked.pk,), task_id=task_id, parent_id=locked.job_id)
    return noted


def _is_about_to_be_made(delivery: Delivery) -> bool:
    due = Job.objects.filter(pk=delivery.task_id, state__in=(State.ACCEPTED, State.QUEUED, State.RUNNING))
    return delivery.delivered_at is None and due.exists()


def _call(delivery: Delivery, *, number: int, now: datetime) -> Answer:
    body = delivery.body.encode()
    try:
        signature = signing.header(
            body, secrets=signing_secrets.of_user(delivery.job.owner_id), at=int(now.timestamp())
        )
    except NoSecretError as exc:
        return Answer(reason=str(exc))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "Accept-Encoding": "identity",
        "Warren-Delivery": delivery.pk,
        "Warren-Event": delivery.event,
        "Warren-Attempt": str(number),
        signing.HEADER: signature,
    }
    pooled.give_back()  # the receiver takes its time
    return calling.call(delivery.url, body=body, headers=headers, allowed=receivers.of_settings())
