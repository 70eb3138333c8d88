"""Whose fault it was that a worker was lost."""

from datetime import timedelta
from uuid import uuid4

import billiard.common
import pytest
from celery import shared_task
from celery.exceptions import Retry
from django.db import transaction
from django.utils import timezone

from warren.delivery import history, losable
from warren.delivery.conftest import Deliver
from warren.delivery.losses import LOSS_LIMIT, count
from warren.delivery.models import Job, JobEvent, OutboxMessage, Worker
from warren.delivery.states import State

pytestmark = pytest.mark.django_db

ran: list[str] = []
leaves_by: list[BaseException] = []


@shared_task(name="losses.note", queue="io")
def note(text: str) -> None:
    ran.append(text)


@shared_task(name="losses.greedy", queue="cpu")
def greedy() -> None:
    raise MemoryError


@shared_task(name="losses.leaver", queue="io")
def leaver() -> None:
    raise leaves_by[0]


@shared_task(name="losses.lost_leaver", queue="io", durable=False)  # type: ignore[call-overload, untyped-decorator]  # durable= is ours
def lost_leaver() -> None:
    raise leaves_by[0]


@shared_task(name="losses.again", queue="cpu", bind=True)
def again(self: object) -> None:
    with transaction.atomic():
        raise self.retry(countdown=30)  # type: ignore[attr-defined]  # a bound task


@shared_task(name="losses.overtaken", queue="cpu", bind=True)
def overtaken(self: object) -> None:
    Job.objects.update(attempt=2)  # another worker has claimed it meanwhile
    raise self.retry(countdown=30)  # type: ignore[attr-defined]  # a bound task


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    ran.clear()
    leaves_by.clear()


def _worker(pool: str) -> Worker:
    return Worker.objects.create(id=uuid4(), name="lost", pool=pool, concurrency=100, queues="io,other")


def _runs_in(worker: Worker, *, losses: int = 0) -> Job:
    job = Job.objects.get(pk=note.delay("text").id)
    OutboxMessage.objects.filter(job=job).delete()
    Job.objects.filter(pk=job.pk).update(state=State.RUNNING, attempt=1, lease=worker.pk, losses=losses)
    return job


def test_it_blames_the_one_job_that_a_prefork_child_ran(deliver: Deliver) -> None:
    job = _runs_in(_worker("prefork"))

    deliver(note, job.pk, "again", redelivered=True)

    job.refresh_from_db()
    assert (ran, job.losses, job.attempt) == (["again"], 1, 2)


def test_it_blames_all_and_parts_them_when_greenlets_crash_for_the_first_time(deliver: Deliver) -> None:
    worker = _worker("gevent")
    jobs = [_runs_in(worker) for _ in range(10)]
    began = timezone.now()

    for job in jobs:
        deliver(note, job.pk, "not yet", redelivered=True)

    assert ran == []
    assert list(Job.objects.order_by().values_list("state", "losses").distinct()) == [(State.ACCEPTED, 1)]
    due = OutboxMessage.objects.values_list("available_at", flat=True)
    assert len(set(due)) == len(jobs)
    assert began <= min(due)
    assert max(due) <= timezone.now() + timedelta(seconds=2)


def test_it_blames_only_the_most_suspect_when_greenlets_crash_again(deliver: Deliver) -> None:
    worker = _worker("gevent")
    innocent, culprit, other = _runs_in(worker), _runs_in(worker, losses=3), _runs_in(worker, losses=2)

    for job in (culprit, innocent, other):  # whatever comes back first
        deliver(note, job.pk, "not yet", redelivered=True)

    losses = [Job.objects.get(pk=job.pk).losses for job in (innocent, culprit, other)]
    assert losses == [0, 4, 2]
    assert "by another job" in JobEvent.objects.get(job=innocent, kind=history.LOST).reason


def test_it_ends_the_culprit_when_it_has_crashed_often_enough(deliver: Deliver) -> None:
    worker = _worker("gevent")
    innocent, culprit = _runs_in(worker), _runs_in(worker, losses=LOSS_LIMIT - 1)

    for job in (innocent, culprit):
        deliver(note, job.pk, "not yet", redelivered=True)

    assert Job.objects.get(pk=culprit.pk).state == State.DEAD
    assert Job.objects.get(pk=innocent.pk).state == State.ACCEPTED


def test_it_claims_the_other_and_the_culprit_once_more_when_that_cannot_be_ended(deliver: Deliver) -> None:
    culprit, other = _runs_in(_worker("prefork"), losses=LOSS_LIMIT - 1), _runs_in(_worker("prefork"))
    Job.objects.filter(pk=culprit.pk).update(message="no JSON")

    for job in (culprit, other):
        deliver(note, job.pk, job.pk, redelivered=True)

    assert ran == [culprit.pk, other.pk]
    assert Job.objects.get(pk=culprit.pk).losses == LOSS_LIMIT


def test_it_ends_nobody_when_two_are_as_suspect(deliver: Deliver) -> None:
    worker = _worker("gevent")
    two = [_runs_in(worker, losses=LOSS_LIMIT - 1) for _ in range(2)]

    for job in two:
        deliver(note, job.pk, "not yet", redelivered=True)

    assert set(Job.objects.values_list("state", "losses")) == {(State.ACCEPTED, LOSS_LIMIT - 1)}


@pytest.mark.parametrize(("attempt", "losses"), [(0, 1), (1, 0)], ids=["it may be the message", "it has run before"])
def test_it_counts_a_message_that_nobody_took_only_when_its_job_never_ran(attempt: int, losses: int) -> None:
    job = Job.objects.get(pk=note.delay("text").id)
    Job.objects.filter(pk=job.pk).update(state=State.QUEUED, attempt=attempt)
    OutboxMessage.objects.all().delete()

    job.refresh_from_db()
    with transaction.atomic():
        count(job, reason="delivered too often")

    job.refresh_from_db()
    assert (job.state, job.losses) == (State.ACCEPTED, losses)


def test_it_drops_a_message_that_came_back_when_the_job_waits_for_another(deliver: Deliver) -> None:
    job = _runs_in(_worker("gevent"))

    deliver(note, job.pk, "not yet", redelivered=True)
    Job.objects.filter(pk=job.pk).update(available_at=timezone.now() + timedelta(seconds=60))
    deliver(note, job.pk, "not yet", redelivered=True)

    job.refresh_from_db()
    assert ran == []
    assert (job.losses, OutboxMessage.objects.filter(job=job).count()) == (1, 1)


def test_it_fails_the_job_alone_when_it_wants_too_much_memory(deliver: Deliver) -> None:
    job = Job.objects.create(pk="greedy", task=greedy.name, queue="cpu", state=State.QUEUED)

    outcome = deliver(greedy, job.pk)

    job.refresh_from_db()
    assert job.state == State.FAILED
    assert not isinstance(outcome.retval, MemoryError)
    assert "more memory than there is" in job.traceback


@pytest.mark.parametrize("way", [SystemExit(3), KeyboardInterrupt()], ids=repr)
def test_it_fails_the_job_when_its_body_asks_to_exit(deliver: Deliver, way: BaseException) -> None:
    job = Job.objects.create(pk="leaver", task=leaver.name, queue="io", state=State.QUEUED)
    leaves_by.append(way)

    deliver(leaver, job.pk)

    job.refresh_from_db()
    assert job.state == State.FAILED
    assert f"losses.leaver raised {way!r}" in job.traceback


def test_it_fails_a_task_that_may_be_lost_when_it_asks_to_exit(deliver: Deliver) -> None:
    leaves_by.append(SystemExit(3))

    outcome = deliver(lost_leaver, "lost-leaver", **{losable.HEADER: True})

    assert outcome.info.state == "FAILURE"


def test_it_leaves_the_job_to_another_attempt_when_its_process_was_told_to_end(
    deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job.objects.create(pk="ended", task=leaver.name, queue="io", state=State.QUEUED)
    leaves_by.append(SystemExit(-113))
    monkeypatch.setattr(billiard.common, "_should_have_exited", [True])  # as billiard's signal handler leaves it

    with pytest.raises(SystemExit):
        deliver(leaver, job.pk)

    job.refresh_from_db()
    assert job.state == State.RUNNING


def test_it_retries_when_the_body_asked_inside_a_transaction_of_its_own(deliver: Deliver) -> None:
    job = Job.objects.create(pk="again", task=again.name, queue="cpu", state=State.QUEUED)

    outcome = deliver(again, job.pk)

    job.refresh_from_db()
    assert isinstance(outcome.info.retval, Retry)
    assert job.state == State.RETRYING
    assert OutboxMessage.objects.filter(job=job).count() == 1


def test_it_leaves_a_job_alone_when_the_attempt_that_asks_for_another_was_lost(deliver: Deliver) -> None:
    job = Job.objects.create(pk="taken-over", task=overtaken.name, queue="cpu", state=State.QUEUED)

    deliver(overtaken, job.pk)

    job.refresh_from_db()
    assert (job.state, job.attempt, job.message) == (State.RUNNING, 2, "")
    assert not OutboxMessage.objects.exists()
    assert not JobEvent.objects.exists()


def test_it_asks_for_another_attempt_when_its_message_waits_already(deliver: Deliver) -> None:
    job = Job.objects.create(pk="again", task=again.name, queue="cpu")
    OutboxMessage.objects.create(job=job)  # sent again, when an older message is still on its way

    deliver(again, job.pk)

    job.refresh_from_db()
    assert job.state == State.RETRYING
    assert OutboxMessage.objects.get().available_at == job.available_at > timezone.now()
