from typing import Any

import pytest
from celery import Celery, shared_task
from celery.result import AsyncResult
from kombu import Queue

from warren.delivery.losses import LOSS_LIMIT
from warren.delivery.models import Job, OutboxMessage
from warren.delivery.relay import Relay
from warren.delivery.states import State
from warren.delivery.topology import DEAD_LETTER_QUEUE, DELIVERY_LIMIT

pytestmark = pytest.mark.django_db(transaction=True)


@shared_task(name="dead.add", queue="cpu")
def add(left: int, right: int) -> int:
    return left + right


def _hand_out_too_often(queue: Queue) -> None:
    for _ in range(DELIVERY_LIMIT + 1):
        message = queue.get()
        assert message is not None
        message.requeue()


def _has_arrived(queue: Queue) -> bool:
    declared: Any = queue.queue_declare(passive=True)
    return bool(declared.message_count)


@pytest.mark.parametrize("before", [State.QUEUED, State.RUNNING])
def test_it_counts_a_loss_and_sends_the_job_again_when_rabbitmq_gave_up(
    app: Celery, queues: dict[str, Queue], wait_until: Any, before: State
) -> None:
    relay, result = _given_up(app, queues, wait_until)
    Job.objects.filter(pk=result.id).update(state=before)

    relay.reconcile()

    job = Job.objects.get(pk=result.id)
    assert (job.state, job.losses) == (State.ACCEPTED, 1)
    assert OutboxMessage.objects.get().job_id == result.id
    assert not _has_arrived(queues[DEAD_LETTER_QUEUE])
    relay.close()


def test_it_makes_the_job_dead_with_the_reason_when_that_was_one_loss_too_many(
    app: Celery, queues: dict[str, Queue], wait_until: Any
) -> None:
    relay, result = _given_up(app, queues, wait_until)
    Job.objects.update(losses=LOSS_LIMIT - 1)

    relay.reconcile()

    job = Job.objects.get(pk=result.id)
    assert (job.state, job.losses) == (State.DEAD, LOSS_LIMIT)
    assert "'cpu'" in job.traceback
    assert "delivery limit" in job.traceback
    assert (result.state, result.failed()) == ("FAILURE", True)
    relay.close()


def test_it_goes_on_when_the_job_cannot_be_ended(
    app: Celery, queues: dict[str, Queue], wait_until: Any, caplog: pytest.LogCaptureFixture
) -> None:
    relay, result = _given_up(app, queues, wait_until)
    Job.objects.update(losses=LOSS_LIMIT - 1, message="no JSON")

    relay.reconcile()

    job = Job.objects.get(pk=result.id)
    assert (job.is_final, job.losses) == (False, LOSS_LIMIT - 1)
    assert not _has_arrived(queues[DEAD_LETTER_QUEUE])
    assert f"the loss of job {result.id} failed" in caplog.text
    relay.close()


def test_it_changes_nothing_when_the_job_is_final(app: Celery, queues: dict[str, Queue], wait_until: Any) -> None:
    relay, result = _given_up(app, queues, wait_until)
    Job.objects.filter(pk=result.id).update(state=State.SUCCEEDED, result="3")

    relay.reconcile()

    assert result.get(timeout=1) == 3
    assert not _has_arrived(queues[DEAD_LETTER_QUEUE])
    relay.close()


def _given_up(app: Celery, queues: dict[str, Queue], wait_until: Any) -> tuple[Relay, AsyncResult[int]]:
    """A relay, and a job whose message lies in the dead-letter queue."""
    relay = Relay(app, on_pass=lambda: None)
    result: AsyncResult[int] = add.delay(1, 2)
    relay.run_pass()
    _hand_out_too_often(queues["cpu"])
    wait_until(lambda: _has_arrived(queues[DEAD_LETTER_QUEUE]))
    return relay, result
