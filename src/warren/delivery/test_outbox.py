import json
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from celery import Celery, chain, shared_task
from celery.result import AsyncResult
from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import EncodeError

from warren.delivery import outbox
from warren.delivery.conftest import Deliver
from warren.delivery.errors import BadJobIdError, UnsupportedSerializerError
from warren.delivery.models import Job, OutboxMessage
from warren.delivery.ownership import owned_by
from warren.delivery.states import FINAL, State

pytestmark = pytest.mark.django_db


@shared_task(name="outbox.add", queue="io")
def add(left: int, right: int) -> int:
    return left + right


@shared_task(name="outbox.parent", queue="cpu")
def parent() -> str:
    return str(add.delay(1, 2).id)


@shared_task(name="outbox.again", queue="cpu", bind=True)
def again(self: object) -> None:
    raise self.retry(countdown=30)  # type: ignore[attr-defined]  # a bound task


def test_it_writes_job_and_message_when_a_task_is_delayed() -> None:
    result = add.delay(1, 2)

    job = Job.objects.get(pk=result.id)
    message = OutboxMessage.objects.get(job_id=result.id)
    assert (job.task, job.queue, job.state, job.args, job.kwargs) == ("outbox.add", "io", State.ACCEPTED, [1, 2], {})
    envelope = message.job.envelope
    assert (envelope.exchange, envelope.routing_key, envelope.headers["id"]) == ("", "io", result.id)
    assert json.loads(envelope.body)[:2] == [[1, 2], {}]


def test_it_leaves_time_limits_to_the_worker_when_the_task_has_none() -> None:
    result = add.delay(1, 2)

    assert Job.objects.get(pk=result.id).envelope.headers["timelimit"] == [None, None]


@pytest.mark.django_db(transaction=True)
def test_it_sends_nothing_when_the_transaction_is_rolled_back() -> None:
    with transaction.atomic():
        add.delay(1, 2)
        assert Job.objects.count() == 1
        transaction.set_rollback(True)

    assert not Job.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_it_keeps_a_delay_in_the_row_and_out_of_the_message_when_there_is_a_countdown() -> None:
    before = timezone.now()

    result = add.apply_async((1, 2), countdown=0.5)

    message = OutboxMessage.objects.get(job_id=result.id)
    assert timedelta(seconds=0.4) < message.available_at - before < timedelta(seconds=5)
    assert message.job.envelope.headers["eta"] is None


def test_it_keeps_expiry_and_priority_when_they_are_given() -> None:
    result = add.apply_async((1, 2), expires=60, priority=7)

    job = Job.objects.get(pk=result.id)
    assert job.expires_at is not None
    assert timedelta(seconds=50) < job.expires_at - timezone.now() <= timedelta(seconds=60)
    assert job.envelope.properties["priority"] == job.priority == 7


def test_it_counts_seconds_by_postgres_clock_when_the_submitters_is_wrong(
    app: Celery, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = timezone.now()
    monkeypatch.setattr(app, "now", lambda: true + timedelta(hours=1))

    result = add.apply_async((1, 2), countdown=20, expires=60)

    job = Job.objects.get(pk=result.id)
    assert job.expires_at is not None
    assert timedelta(seconds=19) < job.available_at - true < timedelta(seconds=40)
    assert timedelta(seconds=59) < job.expires_at - true < timedelta(seconds=80)


def test_it_writes_one_message_when_an_id_is_used_twice() -> None:
    job_id = str(uuid4())

    add.apply_async((1, 2), task_id=job_id)
    add.apply_async((3, 4), task_id=job_id)

    assert OutboxMessage.objects.filter(job_id=job_id).count() == 1
    assert Job.objects.get(pk=job_id).args == [1, 2]


def test_it_gives_jobs_to_the_user_and_their_children_too_when_owned(deliver: Deliver) -> None:
    user = get_user_model().objects.create(email="a@example.com")

    with owned_by(user.pk):
        result = parent.delay()
    headers = Job.objects.get(pk=result.id).envelope.headers
    deliver(parent, result.id, owner_id=headers["owner_id"])

    child = Job.objects.get(task="outbox.add")
    assert child.parent_id == result.id
    assert child.owner == Job.objects.get(pk=result.id).owner == user


def test_it_waits_as_retrying_under_the_same_id_when_a_task_retries(deliver: Deliver) -> None:
    result = again.delay()
    OutboxMessage.objects.all().delete()

    deliver(again, result.id)

    job = Job.objects.get(pk=result.id)
    message = OutboxMessage.objects.get(job_id=result.id)
    assert job.state == State.RETRYING
    assert job.attempt == 1
    assert message.job.envelope.headers["retries"] == 1
    assert message.available_at > timezone.now() + timedelta(seconds=20)


def test_it_keeps_the_priority_of_the_message_that_was_sent_last(deliver: Deliver) -> None:
    result = again.apply_async(priority=7)
    OutboxMessage.objects.all().delete()

    deliver(again, result.id, delivery_info={"routing_key": "cpu", "priority": 2})

    job = Job.objects.get(pk=result.id)
    assert (job.priority, job.envelope.properties["priority"]) == (2, 2)


def test_it_sends_the_next_step_when_a_chained_task_succeeds(deliver: Deliver) -> None:
    first = chain(add.s(1, 2), add.s(10)).apply_async().parent
    assert isinstance(first, AsyncResult)
    message = OutboxMessage.objects.get()

    deliver(add, first.id, 1, 2, chain=json.loads(message.job.envelope.body)[2]["chain"])

    assert Job.objects.get(parent_id=first.id).args == [3, 10]


def test_it_refuses_with_the_name_when_the_serializer_is_binary() -> None:
    with pytest.raises(UnsupportedSerializerError, match="pickle"):
        add.apply_async((1, 2), serializer="pickle")

    assert not Job.objects.exists()


def test_it_accepts_nothing_when_an_argument_is_not_json() -> None:
    with pytest.raises(EncodeError):
        add.delay(object(), 1)  # type: ignore[arg-type]  # that it is no number is the test

    assert not Job.objects.exists()


@pytest.mark.parametrize("state", [State.FAILED, State.DEAD, State.QUEUED])
def test_it_puts_a_job_back_when_it_is_to_be_sent_again(state: State) -> None:
    result = add.apply_async((1, 2), priority=6)
    OutboxMessage.objects.all().delete()
    Job.objects.filter(pk=result.id).update(
        state=state, result='"old"', finished_at=timezone.now() if state in FINAL else None
    )

    assert outbox.send_again([result.id, "unknown"], states=[state]) == [result.id]

    job = Job.objects.get(pk=result.id)
    assert (job.state, job.result, job.finished_at) == (State.ACCEPTED, None, None)
    assert OutboxMessage.objects.get().job.envelope.properties["priority"] == 6


def test_it_leaves_a_job_alone_when_its_state_is_another() -> None:
    result = add.delay(1, 2)
    Job.objects.filter(pk=result.id).update(state=State.SUCCEEDED)

    assert outbox.send_again([result.id], states=[State.FAILED]) == []

    assert Job.objects.get(pk=result.id).state == State.SUCCEEDED


@pytest.mark.parametrize("job_id", ["orders/42", "/", ".", ".."])
def test_it_refuses_an_id_that_is_no_part_of_an_address(job_id: str) -> None:
    with pytest.raises(BadJobIdError, match=f"job id '{re.escape(job_id)}'"):
        add.apply_async((1, 2), task_id=job_id)

    assert not Job.objects.exists()


def test_what_follows_from_a_foreign_producers_job_keeps_its_id(deliver: Deliver) -> None:
    follows = add.si(3, 4).set(task_id="orders/43")

    deliver(add, "orders/42", 1, 2, chain=[dict(follows)])

    assert set(Job.objects.values_list("pk", "state")) == {("orders/42", "succeeded"), ("orders/43", "accepted")}
