"""What is counted of a job on its way, as `/metrics` tells it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from celery import Celery, shared_task
from celery.app.trace import trace_task_ret
from django.db import transaction
from django.utils import timezone
from kombu import Queue
from prometheus_client import REGISTRY

from warren.delivery import endings, outbox
from warren.delivery.batching import batch as batches
from warren.delivery.conftest import Deliver
from warren.delivery.models import Job, OutboxMessage, Worker
from warren.delivery.relay import Relay
from warren.delivery.states import State
from warren.metrics import recording

# what is counted is counted at the commit
pytestmark = pytest.mark.django_db(transaction=True)

ADD = {"task": "counting.add", "queue": "cpu"}


@shared_task(name="counting.add", queue="cpu")
def add(left: int, right: int) -> int:
    return left + right


@shared_task(name="counting.fail", queue="cpu")
def fail() -> None:
    raise ValueError("broken")


@shared_task(name="counting.again", queue="cpu", bind=True)
def again(self: Any) -> None:
    raise self.retry(countdown=30)


@shared_task(name="counting.add_at_once", queue="cpu", transactional=True)  # type: ignore[call-overload, untyped-decorator]  # transactional= is ours
def add_at_once(left: int, right: int) -> int:
    return left + right


type Count = Callable[..., float]


@pytest.fixture
def count() -> Count:
    """By how much a sample, by its name and labels, has grown in this test."""
    before = {(each.name, frozenset(each.labels.items())): each.value for each in _samples()}

    def grown(name: str, **labels: str) -> float:
        now = {(each.name, frozenset(each.labels.items())): each.value for each in _samples()}
        key = (name, frozenset(labels.items()))
        return float(now.get(key, 0.0) - before.get(key, 0.0))

    return grown


def _samples() -> Iterator[Any]:
    for family in REGISTRY.collect():
        yield from family.samples


def test_it_counts_an_accepted_job_when_that_is_committed(count: Count) -> None:
    with transaction.atomic():
        add.delay(1, 2)

        assert count("warren_jobs_total", **ADD, state="accepted") == 0
    assert count("warren_jobs_total", **ADD, state="accepted") == 1


def test_it_counts_nothing_when_the_transaction_is_rolled_back(count: Count) -> None:
    with transaction.atomic():
        add.delay(1, 2)
        transaction.set_rollback(True)

    assert count("warren_jobs_total", **ADD, state="accepted") == 0


def test_it_counts_a_job_once_when_it_is_submitted_twice_under_one_id(count: Count) -> None:
    for _ in range(2):
        add.apply_async((1, 2), task_id="counted-once")

    assert count("warren_jobs_total", **ADD, state="accepted") == 1


def test_it_counts_all_when_they_are_submitted_together(count: Count) -> None:
    with outbox.together():
        for number in range(5):
            add.delay(number, 1)

    assert count("warren_jobs_total", **ADD, state="accepted") == 5


def test_it_counts_an_attempt_its_wait_and_its_run_when_a_job_succeeds(count: Count, deliver: Deliver) -> None:
    job = add.delay(1, 2)
    Job.objects.filter(pk=job.id).update(available_at=timezone.now() - timedelta(seconds=7))

    deliver(add, job.id, 1, 2)

    assert count("warren_job_attempts_total", **ADD) == 1
    assert count("warren_jobs_total", **ADD, state="succeeded") == 1
    assert count("warren_job_wait_seconds_count", queue="cpu") == 1
    assert 7 <= count("warren_job_wait_seconds_sum", queue="cpu") < 60
    assert count("warren_job_run_seconds_count", **ADD) == 1
    assert 0 < count("warren_job_run_seconds_sum", **ADD) < 10


def test_it_counts_success_once_when_a_message_comes_twice(count: Count, deliver: Deliver) -> None:
    job = add.delay(1, 2)

    for _ in range(2):
        deliver(add, job.id, 1, 2)

    assert count("warren_job_attempts_total", **ADD) == 1
    assert count("warren_jobs_total", **ADD, state="succeeded") == 1


def test_it_counts_a_transactional_job_as_any_other(count: Count, deliver: Deliver) -> None:
    job = add_at_once.delay(1, 2)

    deliver(add_at_once, job.id, 1, 2)

    kind = {"task": "counting.add_at_once", "queue": "cpu"}
    assert count("warren_jobs_total", **kind, state="succeeded") == 1
    assert count("warren_job_run_seconds_count", **kind) == 1


def test_it_counts_a_failure_and_its_run_when_a_body_fails(count: Count, deliver: Deliver) -> None:
    deliver(fail, fail.delay().id, task=fail.name)

    kind = {"task": "counting.fail", "queue": "cpu"}
    assert count("warren_jobs_total", **kind, state="failed") == 1
    assert count("warren_jobs_total", **kind, state="succeeded") == 0
    assert count("warren_job_run_seconds_count", **kind) == 1


def test_it_counts_a_retry_once_when_an_attempt_asks_for_another(count: Count, deliver: Deliver) -> None:
    job = again.delay()

    deliver(again, job.id)

    kind = {"task": "counting.again", "queue": "cpu"}
    assert Job.objects.get(pk=job.id).state == State.RETRYING
    assert count("warren_jobs_total", **kind, state="retrying") == 1
    assert count("warren_jobs_total", **kind, state="failed") == 0


def test_it_counts_a_batch_job_by_job(count: Count, app: Celery) -> None:
    jobs = []
    for number in range(3):
        envelope = Job.objects.get(pk=add.delay(number, 1).id).envelope
        request = {
            **envelope.headers,
            "hostname": "here",
            "delivery_info": {"routing_key": "cpu", "redelivered": False},
        }
        jobs.append((add.name, envelope.headers["id"], request, envelope.body, "application/json", "utf-8"))

    batches.run(partial(trace_task_ret, app=app), jobs)

    assert count("warren_job_attempts_total", **ADD) == 3
    assert count("warren_jobs_total", **ADD, state="succeeded") == 3
    assert count("warren_job_run_seconds_count", **ADD) == 3
    assert count("warren_job_wait_seconds_count", queue="cpu") == 3


@pytest.mark.parametrize("state", [State.CANCELLED, State.EXPIRED, State.DEAD])
def test_it_counts_a_job_under_its_queue_when_it_is_ended_from_outside(count: Count, state: State) -> None:
    job = Job.objects.get(pk=add.delay(1, 2).id)

    endings.end(job, state=state, error=ValueError("of a test"))
    endings.end(job, state=state, error=ValueError("of a test"))

    assert count("warren_jobs_total", **ADD, state=str(state)) == 1


def test_it_counts_an_attempt_that_was_lost_with_its_worker(count: Count, deliver: Deliver) -> None:
    job = add.delay(1, 2)
    gone = Worker.objects.create(pk=uuid4(), name="w", pool="prefork", concurrency=1, queues="cpu")
    Job.objects.filter(pk=job.id).update(state=State.RUNNING, attempt=1, lease=gone.pk, message_id="m")

    deliver(add, job.id, 1, 2, redelivered=True, message_id="m")

    assert count("warren_job_attempts_lost_total", queue="cpu") == 1
    assert count("warren_job_attempts_total", **ADD) == 1
    assert count("warren_job_wait_seconds_count", queue="cpu") == 0


def test_it_counts_jobs_that_are_sent_again(count: Count) -> None:
    jobs = [add.delay(number, 1).id for number in range(3)]
    Job.objects.update(state=State.QUEUED)

    outbox.send_again(jobs, states=[State.QUEUED])

    assert count("warren_jobs_sent_again_total") == 3


def test_it_calls_a_task_other_when_nobody_here_knows_it(count: Count, app: Celery) -> None:
    app.send_task("counting.of-another-code-base", queue="cpu")

    assert count("warren_jobs_total", task="other", queue="cpu", state="accepted") == 1


@pytest.mark.usefixtures("queues")
def test_it_counts_what_the_relay_has_moved_and_how_late(count: Count, relay: Relay) -> None:
    job = add.delay(1, 2)
    OutboxMessage.objects.filter(job_id=job.id).update(available_at=timezone.now() - timedelta(seconds=7))

    relay.run_pass()

    assert count("warren_jobs_total", **ADD, state="queued") == 1
    assert count("warren_relay_lag_seconds_count", queue="cpu") == 1
    assert 7 <= count("warren_relay_lag_seconds_sum", queue="cpu") < 60
    assert count("warren_relay_passed_timestamp_seconds") > 0


def test_it_counts_what_the_broker_refuses_and_not_as_queued(
    count: Count, relay: Relay, queues: dict[str, Queue]
) -> None:
    add.delay(1, 2)
    queues["cpu"].delete()

    relay.run_pass()

    assert count("warren_relay_refused_total") == 1
    assert count("warren_jobs_total", **ADD, state="queued") == 0


def test_a_job_succeeds_when_it_cannot_be_counted(deliver: Deliver, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: str) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(recording, "_series", broken)
    for tally in (recording._runs, recording._waits):
        monkeypatch.setattr(tally, "_series", broken)
    job = add.delay(1, 2)

    deliver(add, job.id, 1, 2)

    assert Job.objects.get(pk=job.id).state == State.SUCCEEDED
