import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from celery import chain, group, shared_task
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from warren.delivery import admission, outbox
from warren.delivery.conftest import Deliver
from warren.delivery.errors import QueueFullError
from warren.delivery.models import Job, OutboxMessage
from warren.delivery.states import State

pytestmark = pytest.mark.django_db


@shared_task(name="admission.add", queue="io")
def add(left: int, right: int) -> int:
    return left + right


@shared_task(name="admission.parent", queue="io")
def parent() -> str:
    return str(add.delay(1, 2).id)


@shared_task(name="admission.again", queue="io", bind=True)
def again(self: Any) -> None:
    raise self.retry()


@pytest.fixture(autouse=True)
def _limit(settings: Settings) -> Iterator[None]:
    settings.WAITING_LIMITS = {"io": 3, "cpu": 0}
    admission.forget()
    yield
    admission.forget()


def _fill(state: State = State.QUEUED, *, jobs: int = 3) -> None:
    Job.objects.bulk_create(Job(pk=str(uuid4()), task=add.name, queue="io", state=state) for _ in range(jobs))
    admission.forget()


def test_it_names_queue_number_and_limit_when_the_queue_is_full() -> None:
    for _ in range(3):
        add.delay(1, 2)

    with pytest.raises(QueueFullError, match="queue 'io' has no room for 1 more: 3 jobs wait, and the limit is 3"):
        add.delay(1, 2)

    assert Job.objects.count() == 3


@pytest.mark.parametrize("state", [State.ACCEPTED, State.QUEUED, State.RETRYING])
def test_it_counts_what_waits_due_or_not(state: State) -> None:
    _fill(state)

    with pytest.raises(QueueFullError):
        add.delay(1, 2)


@pytest.mark.parametrize("state", [State.RUNNING, State.SUCCEEDED, State.FAILED, State.DEAD])
def test_it_does_not_count_what_runs_or_is_done(state: State) -> None:
    _fill(state)

    add.delay(1, 2)

    assert Job.objects.count() == 4


def test_it_limits_each_queue_on_its_own_and_none_without_a_limit() -> None:
    _fill()

    for _ in range(5):
        add.apply_async((1, 2), queue="cpu")

    assert Job.objects.filter(queue="cpu").count() == 5


def test_it_takes_all_of_a_batch_or_nothing() -> None:
    add.delay(1, 2)

    def submit(jobs: int) -> None:
        with outbox.together():
            for _ in range(jobs):
                add.delay(1, 2)

    with pytest.raises(QueueFullError, match="no room for 3 more: 1 jobs wait"):
        submit(3)
    submit(2)

    assert Job.objects.count() == 3


def test_it_refuses_a_group_whole_when_it_is_sent_together() -> None:
    with pytest.raises(QueueFullError), outbox.together():
        group(add.s(1, 2) for _ in range(4)).apply_async()

    assert not Job.objects.exists()


def test_it_counts_once_a_second_and_not_for_each_submit(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)

    with CaptureQueriesContext(connection) as captured:
        for _ in range(2):
            add.delay(1, 2)
    Job.objects.all().delete()
    now += admission.COUNT_EVERY_S + 1
    for _ in range(3):
        add.delay(1, 2)

    assert len([each for each in captured.captured_queries if "count(*)" in each["sql"]]) == 1


def test_it_makes_room_again_when_jobs_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    _fill()
    with pytest.raises(QueueFullError):
        add.delay(1, 2)
    Job.objects.update(state=State.SUCCEEDED)
    later = time.monotonic() + 60
    monkeypatch.setattr(time, "monotonic", lambda: later)

    add.delay(1, 2)

    assert Job.objects.filter(state=State.ACCEPTED).count() == 1


def test_it_counts_through_the_index_of_open_jobs() -> None:
    Job.objects.bulk_create(Job(pk=str(uuid4()), task=add.name, queue="io", state=State.SUCCEEDED) for _ in range(2000))
    _fill()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE warren_job")
        cursor.execute(f"EXPLAIN {admission._COUNT}", {"queue": "io", "limit": 3})
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "warren_job_unfinished" in plan


def test_it_never_refuses_what_a_running_task_submits(deliver: Deliver) -> None:
    job = Job.objects.create(pk=str(uuid4()), task=parent.name, queue="io", state=State.QUEUED)
    _fill()

    deliver(parent, job.pk)

    assert Job.objects.filter(task=add.name, parent_id=job.pk).count() == 1


def test_it_never_refuses_a_retry(deliver: Deliver) -> None:
    result = again.delay()
    OutboxMessage.objects.all().delete()
    _fill()

    deliver(again, result.id)

    assert OutboxMessage.objects.get().job_id == result.id
    assert Job.objects.get(pk=result.id).state == State.RETRYING


def test_it_never_refuses_the_next_step_of_a_chain_wherever_it_is_sent_from() -> None:
    first: Any = chain(add.s(1, 2), add.s(10)).apply_async().parent
    _fill()

    step: Any = add
    step.apply_async((3, 10), root_id=first.id, parent_id=first.id)

    assert Job.objects.filter(parent_id=first.id).count() == 1


def test_it_forgets_nothing_that_was_accepted_when_it_refuses() -> None:
    with transaction.atomic():
        kept = add.delay(1, 2)
        _fill()
        with pytest.raises(QueueFullError):
            add.delay(1, 2)

    assert Job.objects.filter(pk=kept.id).exists()
