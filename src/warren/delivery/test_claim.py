from contextlib import nullcontext
from datetime import timedelta
from uuid import uuid4

import pytest
from celery import shared_task
from celery.exceptions import Reject
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from warren.delivery import leases, losses
from warren.delivery.conftest import Deliver
from warren.delivery.models import Job, Worker
from warren.delivery.states import FINAL, State

pytestmark = pytest.mark.django_db

ran: list[str] = []


@shared_task(name="claim.note", queue="cpu")
def note(text: str) -> str:
    ran.append(text)
    return text


@shared_task(name="claim.lose_connection", queue="cpu")
def lose_connection() -> None:
    ran.append("second" if ran else "first")
    if ran == ["first"]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


class WorkerEndsError(BaseException):
    """Nothing of Celery's or Warren's runs after it, as when the process is killed."""


@shared_task(name="claim.end_worker", queue="cpu")
def end_worker() -> None:
    ran.append("and never ends")
    raise WorkerEndsError


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    ran.clear()


def _job(**fields: object) -> Job:
    return Job.objects.create(pk=str(uuid4()), task=note.name, queue="cpu", **fields)


def _lease(*, renewed_s_ago: float = 0) -> Worker:
    seen_at = timezone.now() - timedelta(seconds=renewed_s_ago)
    return Worker.objects.create(id=uuid4(), name="other", pool="prefork", concurrency=2, queues="cpu", seen_at=seen_at)


def test_it_counts_the_attempt_and_names_the_worker_when_a_job_starts(deliver: Deliver) -> None:
    job = _job(state=State.QUEUED)

    deliver(note, job.pk, "once")

    job.refresh_from_db()
    assert ran == ["once"]
    assert (job.attempt, job.worker, job.state) == (1, "worker-test@here", State.SUCCEEDED)
    assert job.started_at is not None
    assert job.finished_at is not None


def test_it_runs_the_body_once_when_a_message_comes_twice(deliver: Deliver) -> None:
    job = _job(state=State.QUEUED)

    deliver(note, job.pk, "once")
    deliver(note, job.pk, "again", redelivered=True)

    assert ran == ["once"]


@pytest.mark.parametrize("state", sorted(FINAL))
def test_it_drops_the_message_when_the_job_is_final(deliver: Deliver, state: State) -> None:
    job = _job(state=state)

    deliver(note, job.pk, "never")

    job.refresh_from_db()
    assert ran == []
    assert (job.state, job.attempt) == (state, 0)


def test_it_drops_a_duplicate_when_the_job_runs_under_a_lease(deliver: Deliver) -> None:
    job = _job(state=State.RUNNING, attempt=1, lease=_lease().pk)

    deliver(note, job.pk, "never")

    assert ran == []


def test_it_takes_a_running_job_again_when_its_message_came_back(deliver: Deliver) -> None:
    job = _job(state=State.RUNNING, attempt=1, lease=_lease().pk)

    deliver(note, job.pk, "again", redelivered=True)

    job.refresh_from_db()
    assert ran == ["again"]
    assert (job.state, job.attempt, job.losses) == (State.SUCCEEDED, 2, 1)


def test_it_leaves_a_running_job_alone_when_another_message_came_back(deliver: Deliver) -> None:
    """The job was sent twice; a worker had fetched the first message, and gives it back without having begun."""
    job = _job(state=State.RUNNING, attempt=1, lease=_lease().pk, message_id="2")

    deliver(note, job.pk, "never", redelivered=True, message_id="1")

    job.refresh_from_db()
    assert ran == []
    assert (job.attempt, job.losses) == (1, 0)
    deliver(note, job.pk, "again", redelivered=True, message_id="2")
    assert ran == ["again"]


def test_it_notes_the_message_that_its_attempt_came_with(deliver: Deliver) -> None:
    job = _job(state=State.QUEUED)

    deliver(note, job.pk, "once", message_id="7")

    job.refresh_from_db()
    assert job.message_id == "7"


def test_it_takes_a_running_job_again_when_the_lease_on_it_has_expired(deliver: Deliver) -> None:
    job = _job(state=State.RUNNING, attempt=1, lease=_lease(renewed_s_ago=leases.LEASE_S + 1).pk)

    deliver(note, job.pk, "again")

    job.refresh_from_db()
    assert ran == ["again"]
    assert (job.state, job.attempt, job.losses) == (State.SUCCEEDED, 2, 1)


def test_it_gives_a_job_up_when_too_many_of_its_workers_were_lost(deliver: Deliver) -> None:
    job = _job(state=State.RUNNING, attempt=7, losses=losses.LOSS_LIMIT - 1)

    deliver(note, job.pk, "never", redelivered=True)

    job.refresh_from_db()
    assert ran == []
    assert (job.state, job.attempt, job.losses) == (State.DEAD, 7, losses.LOSS_LIMIT)
    assert "given up after 5 losses" in job.traceback


def test_it_shows_as_many_attempts_as_ran_when_each_of_them_cost_a_worker(deliver: Deliver) -> None:
    job = _job(state=State.QUEUED)

    for delivery in range(losses.LOSS_LIMIT + 2):
        with pytest.raises(WorkerEndsError) if delivery < losses.LOSS_LIMIT else nullcontext():
            deliver(end_worker, job.pk, redelivered=delivery > 0)

    job.refresh_from_db()
    assert len(ran) == losses.LOSS_LIMIT
    assert (job.state, job.attempt, job.losses) == (State.DEAD, losses.LOSS_LIMIT, losses.LOSS_LIMIT)


def test_it_leaves_a_job_to_the_reconciler_when_its_lease_expired_for_the_last_time(deliver: Deliver) -> None:
    gone = _lease(renewed_s_ago=leases.LEASE_S + 1)
    job = _job(state=State.RUNNING, attempt=5, losses=losses.LOSS_LIMIT - 1, lease=gone.pk)

    deliver(note, job.pk, "never")

    job.refresh_from_db()
    assert ran == []
    assert (job.state, job.attempt, job.losses) == (State.RUNNING, 5, losses.LOSS_LIMIT - 1)


def test_it_counts_no_loss_when_a_job_waits_for_a_retry(deliver: Deliver) -> None:
    job = _job(state=State.RETRYING, attempt=3)

    deliver(note, job.pk, "again", redelivered=True)

    job.refresh_from_db()
    assert (job.state, job.attempt, job.losses) == (State.SUCCEEDED, 4, 0)


@pytest.mark.django_db(transaction=True)
def test_it_is_another_attempt_when_postgres_went_away_in_the_body(deliver: Deliver) -> None:
    job = _job(state=State.QUEUED)

    given_back = deliver(lose_connection, job.pk)
    deliver(lose_connection, job.pk, redelivered=True)

    job.refresh_from_db()
    assert isinstance(given_back.info.retval, Reject)
    assert (job.state, job.attempt, ran) == (State.SUCCEEDED, 2, ["first", "second"])


def test_it_adopts_a_message_when_another_producer_sent_it(deliver: Deliver) -> None:
    job_id = str(uuid4())

    deliver(note, job_id, "foreign")

    job = Job.objects.get(pk=job_id)
    assert (job.task, job.state, job.args, job.result) == ("claim.note", State.SUCCEEDED, ["foreign"], '"foreign"')


def test_it_touches_no_database_when_a_task_is_called_as_a_function(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(0):
        assert note("direct") == "direct"

    assert ran == ["direct"]


@pytest.mark.parametrize("state", [State.QUEUED, State.RETRYING])
def test_it_ends_a_job_as_expired_when_its_time_is_over_by_postgres_clock(deliver: Deliver, state: State) -> None:
    job = _job(state=state, expires_at=timezone.now() - timedelta(seconds=1))

    deliver(note, job.pk, "late")

    job.refresh_from_db()
    assert ran == []
    assert (job.state, job.attempt) == (State.EXPIRED, 0)
    assert job.finished_at is not None


def test_it_lets_a_job_go_on_past_its_expiry_when_it_had_started(deliver: Deliver) -> None:
    job = _job(state=State.RUNNING, attempt=1, expires_at=timezone.now() - timedelta(seconds=1))

    deliver(note, job.pk, "again", redelivered=True)

    job.refresh_from_db()
    assert (job.state, job.attempt) == (State.SUCCEEDED, 2)
