from typing import Any
from uuid import uuid4

import psycopg
import pytest
from celery import shared_task
from django.utils import timezone
from kombu import Queue

from warren.delivery import direct, leases, outcomes, restored
from warren.delivery.conftest import Deliver
from warren.delivery.errors import WorkersAliveError
from warren.delivery.models import Job, JobEvent, OutboxMessage, Worker
from warren.delivery.reconciler import GIVEN
from warren.delivery.relay import Relay
from warren.delivery.restored import Prepared
from warren.delivery.states import FINAL, State

pytestmark = pytest.mark.django_db(transaction=True)

NOTHING = Prepared(leases=0, running=0, given=0)


@shared_task(name="restored.add", queue="cpu")
def add(left: int, right: int) -> int:
    return left + right


def _job(state: State) -> str:
    """One in this state, without a message in the outbox."""
    job_id = str(add.delay(1, 2).id)
    OutboxMessage.objects.all().delete()
    finished_at = timezone.now() if state in FINAL else None
    Job.objects.filter(pk=job_id).update(state=state, queued_at=timezone.now(), finished_at=finished_at)
    return job_id


def _running_job(*, attempt: int = 1) -> str:
    lease = Worker.objects.create(id=uuid4(), name="worker-1", pool="prefork", concurrency=2, queues="cpu").pk
    job_id = _job(State.RUNNING)
    started = {"started_at": timezone.now(), "worker": "worker-1", "lease": lease, "attempt": attempt}
    Job.objects.filter(pk=job_id).update(**started)
    return job_id


def _sent_again() -> list[str]:
    return list(OutboxMessage.objects.order_by("id").values_list("job_id", flat=True))


def test_it_sends_again_what_ran_and_counts_no_loss() -> None:
    job_id = _running_job()

    done = restored.prepare()

    assert done == Prepared(leases=1, running=1, given=0)
    assert _sent_again() == [job_id]
    job = Job.objects.get()
    assert (job.state, job.losses, job.attempt, job.started_at) == (State.ACCEPTED, 0, 1, None)
    event = JobEvent.objects.get()
    assert (event.kind, event.reason, event.state, event.worker) == ("lost", restored.REASON, "running", "worker-1")
    assert not Worker.objects.exists()


@pytest.mark.parametrize("state", GIVEN)
def test_it_sends_again_what_the_broker_had(state: State) -> None:
    given = [_job(state), _job(state)]

    done = restored.prepare()

    assert done == Prepared(leases=0, running=0, given=2)
    assert _sent_again() == given
    assert not JobEvent.objects.exists()


def test_it_leaves_what_waits_in_the_outbox_as_it_is() -> None:
    for state in (State.ACCEPTED, State.RETRYING):
        waiting = add.apply_async((1, 2), countdown=60)
        Job.objects.filter(pk=waiting.id).update(state=state)
    before = list(Job.objects.order_by("id").values("id", "state", "available_at"))

    assert restored.prepare() == NOTHING

    assert list(Job.objects.order_by("id").values("id", "state", "available_at")) == before


@pytest.mark.parametrize("state", sorted(FINAL))
def test_it_leaves_what_is_final_as_it_is(state: State) -> None:
    _job(state)

    assert restored.prepare() == NOTHING

    assert Job.objects.get().state == state


def test_it_leaves_a_job_that_was_replaced_to_what_replaces_it() -> None:
    _job(State.RUNNING)
    Job.objects.update(lease=outcomes.REPLACED)

    assert restored.prepare() == NOTHING

    assert Job.objects.get().state == State.RUNNING


def test_it_does_nothing_more_when_it_runs_again() -> None:
    _running_job()
    _job(State.QUEUED)
    restored.prepare()
    before = _sent_again()

    assert restored.prepare() == NOTHING

    assert _sent_again() == before


def test_it_changes_nothing_when_a_worker_is_connected() -> None:
    _running_job()

    with direct.connect("lease"), pytest.raises(WorkersAliveError, match="worker-1: stop them first"):
        restored.prepare()

    assert (Job.objects.get().state, Worker.objects.count(), _sent_again()) == (State.RUNNING, 1, [])


def test_it_is_no_worker_s_connection_that_another_database_has() -> None:
    job_id = _running_job()
    address = direct.address("lease") | {"dbname": "postgres"}

    with psycopg.connect(**address):
        restored.prepare()

    assert _sent_again() == [job_id]


def test_it_takes_a_lease_for_the_backup_s_though_it_has_not_expired() -> None:
    _running_job()
    assert (timezone.now() - Worker.objects.get().seen_at).total_seconds() < leases.LEASE_S

    assert restored.prepare().leases == 1


def test_it_sends_all_batches_when_there_are_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restored, "BATCH", 2)
    given = [_job(State.QUEUED) for _ in range(5)]

    assert restored.prepare().given == 5

    assert _sent_again() == given


def test_a_job_that_ran_is_delivered_and_succeeds_as_the_next_attempt(
    relay: Relay, queues: dict[str, Queue], deliver: Deliver
) -> None:
    job_id = _running_job(attempt=3)
    restored.prepare()

    relay.run_pass()

    message: Any = queues["cpu"].get(no_ack=True)
    assert message.headers["id"] == job_id
    deliver(add, job_id, 1, 2, message_id=message.properties["message_id"])
    job = Job.objects.get()
    assert (job.state, job.result, job.attempt) == (State.SUCCEEDED, "3", 4)
