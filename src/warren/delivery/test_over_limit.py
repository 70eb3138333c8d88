"""A job over its hard time limit whose process is about to be left."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from celery import chord, shared_task
from celery.result import AsyncResult
from django.db import connection, transaction
from django.utils import timezone

from warren.delivery import direct, leases, losses, over_limit
from warren.delivery.models import Job, OutboxMessage, Worker
from warren.delivery.states import State

# it looks over another connection
pytestmark = pytest.mark.django_db(transaction=True)

LIMIT_S = 15


@shared_task(name="over_limit.spin", queue="io")
def spin() -> int:
    return 1


@shared_task(name="over_limit.total", queue="io")
def total(numbers: list[int]) -> int:
    return sum(numbers)


@shared_task(name="over_limit.tell", queue="io")
def tell(job_id: str) -> None:
    """Errback."""


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    """This process."""
    here = Worker.objects.create(id=uuid4(), name="here", pool="gevent", concurrency=100, queues="io")
    monkeypatch.setattr(leases, "current", here.pk)
    return here


def _runs(job_id: str, *, lease: UUID, for_s: int = LIMIT_S + 1) -> Job:
    OutboxMessage.objects.filter(job=job_id).delete()
    started = timezone.now() - timedelta(seconds=for_s)
    Job.objects.filter(pk=job_id).update(state=State.RUNNING, attempt=3, lease=lease, started_at=started)
    return Job.objects.get(pk=job_id)


def test_it_fails_the_attempt_as_prefork_does_when_it_runs_here_over_its_limit(worker: Worker) -> None:
    job = _runs(spin.delay().id, lease=worker.pk)

    assert over_limit.fail(job.pk, limit_s=LIMIT_S)

    job.refresh_from_db()
    assert (job.state, job.attempt, job.losses, job.traceback) == (State.FAILED, 3, 0, "")
    assert '"exc_type": "TimeLimitExceeded"' in str(job.result)
    assert "[15]" in str(job.result)


@pytest.mark.parametrize(
    "other",
    [
        {"lease": UUID(int=1)},
        {"started_at": timezone.now() + timedelta(days=1)},
        {"state": State.CANCELLED},
        {"state": State.RETRYING},
    ],
    ids=["runs elsewhere", "has only begun", "is final", "waits once more"],
)
def test_it_changes_nothing_when_the_job(worker: Worker, other: dict[str, Any]) -> None:
    job = _runs(spin.delay().id, lease=worker.pk)
    Job.objects.filter(pk=job.pk).update(**other)
    before = Job.objects.filter(pk=job.pk).values().get()

    assert not over_limit.fail(job.pk, limit_s=LIMIT_S)

    assert Job.objects.filter(pk=job.pk).values().get() == before


def test_it_fails_the_chord_around_it_and_sends_its_errbacks(worker: Worker) -> None:
    result: AsyncResult[int] = chord([spin.s().on_error(tell.s())])(total.s())
    part = Job.objects.get(task=spin.name)
    _runs(part.pk, lease=worker.pk)

    assert over_limit.fail(part.pk, limit_s=LIMIT_S)

    body, errback = Job.objects.get(pk=result.id), Job.objects.get(task=tell.name)
    assert (body.state, errback.state) == (State.FAILED, State.ACCEPTED)
    assert "TimeLimitExceeded" in str(body.result)
    assert errback.args == [part.pk]


def test_it_lets_nobody_be_blamed_that_ran_beside_it(worker: Worker) -> None:
    culprit = _runs(spin.delay().id, lease=worker.pk)
    beside = _runs(spin.delay().id, lease=worker.pk)

    over_limit.fail(culprit.pk, limit_s=LIMIT_S)
    with transaction.atomic():
        losses.count(beside, reason="its worker is gone")

    beside.refresh_from_db()
    assert (beside.state, beside.losses) == (State.ACCEPTED, 0)


def test_models_use_a_connection_of_their_own_within_the_block_only() -> None:
    usual = _application_name()

    with direct.orm("overdue"):
        own = _application_name()

    assert (own, _application_name()) == ("warren-overdue", usual)


def _application_name() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('application_name')")
        return str(cursor.fetchone()[0])
