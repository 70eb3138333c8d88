from typing import Any
from uuid import uuid4

import pytest
from celery import shared_task
from celery.exceptions import Reject
from django.contrib.auth.models import Group
from django.db import OperationalError

from warren.delivery.conftest import Deliver
from warren.delivery.models import Job, OutboxMessage
from warren.delivery.states import State

pytestmark = pytest.mark.django_db(transaction=True)


@shared_task(name="transactional.effect", queue="cpu", transactional=True)  # type: ignore[call-overload, untyped-decorator]  # transactional= is ours
def effect(job_id: str, then: str) -> str:
    Group.objects.create(name=f"effect of {job_id} {uuid4()}")
    if then == "fail":
        raise ValueError("after the effect")
    if then == "lose":
        Job.objects.filter(pk=job_id).update(attempt=7)  # another worker has claimed it meanwhile
    if then == "disconnect":
        raise OperationalError("the connection is lost")
    return "done"


@shared_task(name="transactional.again", queue="cpu", transactional=True, bind=True)  # type: ignore[call-overload, untyped-decorator]  # transactional= is ours
def again(self: Any) -> None:
    Group.objects.create(name="effect of a retried attempt")
    raise self.retry(countdown=30)


@shared_task(name="transactional.follow", queue="io")
def follow(result: str) -> str:
    return result


@pytest.fixture
def job() -> Job:
    return Job.objects.create(pk=str(uuid4()), task=effect.name, queue="cpu", state=State.QUEUED)


def test_it_commits_effect_outcome_and_next_step_when_the_body_succeeds(deliver: Deliver, job: Job) -> None:
    deliver(effect, job.pk, job.pk, "succeed", callbacks=[follow.s()])

    job.refresh_from_db()
    assert (job.state, job.result) == (State.SUCCEEDED, '"done"')
    assert Group.objects.count() == 1
    assert OutboxMessage.objects.get().job.queue == "io"


def test_it_has_the_effect_once_when_the_message_comes_again(deliver: Deliver, job: Job) -> None:
    for _ in range(3):
        deliver(effect, job.pk, job.pk, "succeed", redelivered=True)

    assert Group.objects.count() == 1


def test_it_rolls_the_effect_back_when_the_body_fails(deliver: Deliver, job: Job) -> None:
    deliver(effect, job.pk, job.pk, "fail")

    job.refresh_from_db()
    assert job.state == State.FAILED
    assert "after the effect" in job.traceback
    assert not Group.objects.exists()


def test_it_rolls_effect_and_next_step_back_when_the_attempt_was_lost(deliver: Deliver, job: Job) -> None:
    deliver(effect, job.pk, job.pk, "lose", callbacks=[follow.s()])

    job.refresh_from_db()
    assert job.state == State.RUNNING
    assert not Group.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_it_gives_the_message_back_when_postgres_is_lost_in_the_body(deliver: Deliver, job: Job) -> None:
    outcome = deliver(effect, job.pk, job.pk, "disconnect")

    assert isinstance(outcome.info.retval, Reject)
    assert outcome.info.retval.requeue  # type: ignore[attr-defined]  # celery-types leaves it out
    job.refresh_from_db()
    assert job.state == State.RUNNING
    assert not Group.objects.exists()


def test_it_rolls_the_effect_back_and_keeps_the_retry_when_the_body_retries(deliver: Deliver, job: Job) -> None:
    deliver(again, job.pk)

    job.refresh_from_db()
    assert job.state == State.RETRYING
    assert OutboxMessage.objects.get(job_id=job.pk).job.envelope.headers["retries"] == 1
    assert not Group.objects.exists()
