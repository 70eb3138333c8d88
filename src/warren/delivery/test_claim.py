from uuid import uuid4

import pytest
from celery import shared_task
from pytest_django import DjangoAssertNumQueries

from warren.delivery.conftest import Deliver
from warren.delivery.models import Job
from warren.delivery.states import FINAL, State

pytestmark = pytest.mark.django_db

ran: list[str] = []


@shared_task(name="claim.note", queue="cpu")
def note(text: str) -> str:
    ran.append(text)
    return text


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    ran.clear()


def _job(**fields: object) -> Job:
    return Job.objects.create(pk=str(uuid4()), task=note.name, queue="cpu", **fields)


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


def test_it_drops_a_duplicate_when_the_job_runs_elsewhere(deliver: Deliver) -> None:
    job = _job(state=State.RUNNING, attempt=1)

    deliver(note, job.pk, "never")

    assert ran == []


def test_it_takes_a_running_job_again_when_its_message_came_back(deliver: Deliver) -> None:
    job = _job(state=State.RUNNING, attempt=1)

    deliver(note, job.pk, "again", redelivered=True)

    job.refresh_from_db()
    assert ran == ["again"]
    assert (job.state, job.attempt) == (State.SUCCEEDED, 2)


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
