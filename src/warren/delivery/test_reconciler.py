from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from celery import Celery, shared_task
from django.db import connection
from django.utils import timezone
from kombu import Queue

from warren.delivery import leases, reconciler
from warren.delivery.conftest import cannot_tell, none_waits
from warren.delivery.losses import LOSS_LIMIT
from warren.delivery.models import Job, OutboxMessage, Worker
from warren.delivery.relay import Relay
from warren.delivery.states import State

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = timezone.now() - 2 * reconciler.LOST_AFTER


@shared_task(name="reconciler.add", queue="cpu")
def add(left: int, right: int) -> int:
    return left + right


def _queued_job(*, state: State = State.QUEUED, ago: timedelta = 2 * reconciler.LOST_AFTER, **options: Any) -> str:
    job_id = str(add.apply_async((1, 2), **options).id)
    OutboxMessage.objects.all().delete()
    Job.objects.filter(pk=job_id).update(state=state, queued_at=timezone.now() - ago)
    return job_id


@pytest.mark.parametrize("state", reconciler.GIVEN)
def test_it_sends_a_job_again_when_its_queue_is_empty(state: State) -> None:
    job_id = _queued_job(state=state)

    assert reconciler.run(none_waits, now=timezone.now()) == [job_id]

    assert OutboxMessage.objects.get().job_id == job_id
    assert Job.objects.get(pk=job_id).state == State.ACCEPTED


def test_it_sends_the_other_orphan_again_when_one_cannot_be_ended() -> None:
    poison, other = (_queued_job(state=State.RUNNING) for _ in range(2))
    Job.objects.update(attempt=1, lease=uuid4(), started_at=LONG_AGO)
    Job.objects.filter(pk=poison).update(message="no JSON", losses=LOSS_LIMIT - 1)

    reconciler.run(cannot_tell, now=timezone.now())

    assert OutboxMessage.objects.get().job_id == other
    assert Job.objects.get(pk=poison).state == State.RUNNING


def test_it_leaves_a_job_when_the_brokercannot_tell_what_waits() -> None:
    _queued_job()

    assert reconciler.run(cannot_tell, now=timezone.now()) == []

    assert not OutboxMessage.objects.exists()


def test_it_sends_a_job_again_when_its_queue_has_come_to_much_later_ones() -> None:
    lost = _queued_job(ago=5 * reconciler.LOST_AFTER)
    for waits in (3.5, 3, 2, 0.5):  # the first may have been fetched, and published by a relay that was slow
        _queued_job(ago=waits * reconciler.LOST_AFTER)

    def waiting_since(queue: str, /, *, urgent: bool, now: datetime) -> datetime:  # noqa: ARG001  none is
        return now - 3 * reconciler.LOST_AFTER

    assert reconciler.run(waiting_since, now=timezone.now()) == [lost]


@pytest.mark.parametrize("urgent_wait", [True, False])
def test_it_judges_urgent_jobs_and_the_others_apart(urgent_wait: bool) -> None:  # noqa: FBT001  a parameter of the test
    unnamed = _queued_job()
    jobs = {priority: _queued_job(priority=priority) for priority in (0, 4, 5, 9)}
    lost = {unnamed, jobs[0], jobs[4]} if urgent_wait else {jobs[5], jobs[9]}

    def waiting_since(queue: str, /, *, urgent: bool, now: datetime) -> datetime:  # noqa: ARG001  there is one
        return now - 2 * reconciler.LOST_AFTER if urgent == urgent_wait else now

    assert set(reconciler.run(waiting_since, now=timezone.now())) == lost


def test_it_leaves_a_job_when_it_is_young_or_runs_or_is_done() -> None:
    _queued_job(ago=reconciler.LOST_AFTER / 2)
    for state in (State.SUCCEEDED, State.CANCELLED):
        _queued_job(state=state)

    assert reconciler.run(none_waits, now=timezone.now()) == []


def _running_job(*, renewed_s_ago: float, started_s_ago: float = 600, **fields: Any) -> str:
    now = timezone.now()
    holder = Worker.objects.create(
        id=uuid4(),
        name="worker-cpu@gone",
        pool="prefork",
        concurrency=2,
        queues="cpu",
        seen_at=now - timedelta(seconds=renewed_s_ago),
    )
    job_id = _queued_job(state=State.RUNNING)
    started_at = now - timedelta(seconds=started_s_ago)
    Job.objects.filter(pk=job_id).update(lease=holder.pk, worker=holder.name, started_at=started_at, **fields)
    return job_id


def test_it_sends_a_job_again_when_its_worker_is_gone() -> None:
    job_id = _running_job(renewed_s_ago=leases.LEASE_S + 1)

    assert reconciler.run(cannot_tell, now=timezone.now()) == [job_id]

    job = Job.objects.get(pk=job_id)
    assert (job.state, job.losses) == (State.ACCEPTED, 1)
    assert OutboxMessage.objects.get().job_id == job_id


def test_it_makes_a_job_dead_when_its_last_worker_is_gone_too() -> None:
    job_id = _running_job(renewed_s_ago=leases.LEASE_S + 1, losses=LOSS_LIMIT - 1)

    reconciler.run(cannot_tell, now=timezone.now())

    job = Job.objects.get(pk=job_id)
    assert (job.state, job.losses) == (State.DEAD, LOSS_LIMIT)
    assert "worker-cpu@gone is gone" in job.traceback


@pytest.mark.parametrize(("renewed_s_ago", "started_s_ago"), [(leases.LEASE_S - 5, 600), (leases.LEASE_S + 5, 5)])
def test_it_leaves_a_job_when_its_worker_lives_or_has_just_begun(renewed_s_ago: float, started_s_ago: float) -> None:
    _running_job(renewed_s_ago=renewed_s_ago, started_s_ago=started_s_ago)

    assert reconciler.run(none_waits, now=timezone.now()) == []


def test_it_leaves_all_to_another_relay_when_that_one_is_at_it() -> None:
    _queued_job()
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [reconciler._ONE_AT_A_TIME])

            assert reconciler.run(none_waits, now=timezone.now()) == []

            # it would be kept in the pool, and whoever got the connection next would be the one who reconciles
            cursor.execute("SELECT pg_advisory_unlock(%s)", [reconciler._ONE_AT_A_TIME])
    finally:
        other.close()


def test_it_brings_back_what_a_purged_queue_lost_when_the_relay_reconciles(
    app: Celery, queues: dict[str, Queue]
) -> None:
    relay = Relay(app, on_pass=lambda: None)
    result = add.delay(1, 2)
    relay.run_pass()
    queues["cpu"].purge()
    Job.objects.update(queued_at=LONG_AGO)

    relay.reconcile()
    relay.run_pass()

    message = queues["cpu"].get(no_ack=True)
    assert message is not None
    assert message.headers["id"] == result.id
    relay.close()
