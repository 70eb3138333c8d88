"""From the end of a job to a call that is taken: once accepted, many times tried, every attempt noted."""

import json
from datetime import timedelta
from typing import Any

import pytest
from celery import shared_task
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from apps.webhooks import backoff, deliveries, payloads, signing, signing_secrets
from apps.webhooks.conftest import Receiver, Script
from apps.webhooks.errors import CallbackUrlError, NothingToRepeatError
from apps.webhooks.models import Attempt, Delivery
from apps.webhooks.tasks import DELIVER
from warren.delivery import endings, retry
from warren.delivery.history import Actor
from warren.delivery.models import Job
from warren.delivery.ownership import owned_by
from warren.delivery.states import State

pytestmark = pytest.mark.django_db


@shared_task(name="telling.answer", queue="cpu")
def answer(size: int = 0) -> Any:
    return "x" * size or 42


@shared_task(name="telling.fail", queue="cpu")
def fail() -> None:
    raise ValueError("no luck")


@pytest.fixture(autouse=True)
def _inside(settings: Settings) -> None:
    settings.WEBHOOK_RECEIVERS = ["127.0.0.0/8"]


def _call_back(task: Any, url: str) -> Any:
    return task.apply_async(callback_url=url)


def _submit(receiver: Receiver, user: Any, *, task: Any = answer, **kwargs: Any) -> str:
    with owned_by(user.pk):
        return str(task.apply_async(kwargs=kwargs, callback_url=receiver.url("hook?token=abc")).id)


def test_the_end_of_a_job_is_told_signed(receiver: Receiver, user: Any, run_next: Any) -> None:
    job_id = _submit(receiver, user)

    assert [run_next().state, run_next().state] == [State.SUCCEEDED, State.SUCCEEDED]

    [received] = receiver.received
    job = Job.objects.get(pk=job_id)
    delivery = Delivery.objects.get()
    told = received.told
    assert received.path == "/hook?token=abc"
    assert (told["id"], told["type"], told["omitted"]) == (delivery.pk, "job.succeeded", [])
    assert (told["job"]["id"], told["job"]["state"], told["job"]["result"]) == (job_id, "succeeded", 42)
    assert told["job"]["links"]["self"] == f"https://warren.example/api/jobs/{job_id}/"
    assert job.finished_at is not None
    assert told["created_at"] == job.finished_at.isoformat()
    headers = received.headers
    assert (headers["Warren-Delivery"], headers["Warren-Event"]) == (delivery.pk, "job.succeeded")
    assert (headers["Warren-Attempt"], headers["Content-Type"]) == ("1", "application/json")
    at = int(headers[signing.HEADER].split(",")[0].removeprefix("t="))
    assert abs(at - timezone.now().timestamp()) < 60
    assert headers[signing.HEADER] == signing.header(received.body, secrets=signing_secrets.of_user(user.pk), at=at)
    assert delivery.delivered_at is not None


def test_the_call_is_a_job_of_the_owner_that_tells_the_address_to_nobody(
    receiver: Receiver, user: Any, run_next: Any
) -> None:
    job_id = _submit(receiver, user)
    run_next()

    call = Job.objects.get(task=DELIVER)

    assert (call.owner, call.queue, call.parent_id, call.state) == (user, "io", job_id, State.ACCEPTED)
    assert "token" not in call.arguments
    assert "token" not in call.envelope.headers["kwargsrepr"]


def test_a_receiver_that_is_down_is_called_again_with_the_same_body_and_id(
    receiver: Receiver, user: Any, run_next: Any
) -> None:
    receiver.script = Script(statuses=[500, 503, 200])
    _submit(receiver, user)
    run_next()

    calls = [run_next() for _ in range(3)]

    assert [each.state for each in calls] == [State.RETRYING, State.RETRYING, State.SUCCEEDED]
    assert len({each.pk for each in calls}) == 1
    assert len({(each.body, each.headers["Warren-Delivery"]) for each in receiver.received}) == 1
    assert [each.headers["Warren-Attempt"] for each in receiver.received] == ["1", "2", "3"]
    noted = list(Attempt.objects.values_list("status", "reason"))
    assert noted == [(500, "the receiver answered 500"), (503, "the receiver answered 503"), (200, "")]
    assert all(each.duration_ms is not None for each in Attempt.objects.all())


@pytest.mark.parametrize("status", [429, 503])
def test_it_waits_as_long_as_the_receiver_asks(receiver: Receiver, user: Any, run_next: Any, status: int) -> None:
    receiver.script = Script(statuses=[status], headers={"Retry-After": "3600"})
    _submit(receiver, user)
    run_next()

    call = run_next()

    assert timedelta(minutes=59) < call.available_at - timezone.now() < timedelta(minutes=61)


def test_it_gives_up_after_the_last_attempt(
    receiver: Receiver, user: Any, run_next: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "RETRIES", 2)
    receiver.script = Script(statuses=[500])
    _submit(receiver, user)
    run_next()

    states = [run_next().state for _ in range(3)]

    assert states == [State.RETRYING, State.RETRYING, State.FAILED]
    assert len(receiver.received) == 3
    assert "the receiver answered 500" in str(Job.objects.get(task=DELIVER).result)
    assert Delivery.objects.get().delivered_at is None


def test_410_is_the_last_word(receiver: Receiver, user: Any, run_next: Any) -> None:
    receiver.script = Script(statuses=[410])
    _submit(receiver, user)
    run_next()

    assert run_next().state == State.FAILED
    assert len(receiver.received) == 1


def test_a_private_address_is_refused_when_it_is_called(
    receiver: Receiver, user: Any, run_next: Any, settings: Settings
) -> None:
    _submit(receiver, user)
    run_next()
    settings.WEBHOOK_RECEIVERS = []

    assert run_next().state == State.FAILED
    assert receiver.received == []
    assert Attempt.objects.get().reason.startswith("refused")


def test_a_job_is_told_of_as_it_ended_though_it_was_retried_since(receiver: Receiver, user: Any, run_next: Any) -> None:
    job_id = _submit(receiver, user, task=fail)
    run_next()
    retry.retry([job_id], by=Actor(user_id=user.pk))

    run_next()  # the call, which was accepted first

    [received] = receiver.received
    assert (received.told["type"], received.told["job"]["state"]) == ("job.failed", "failed")
    assert received.told["job"]["error"]["message"] == "no luck"
    run_next()
    run_next()
    assert [each.told["job"]["attempt"] for each in receiver.received] == [1, 2]
    assert len({each.told["id"] for each in receiver.received}) == 2


@pytest.mark.parametrize("state", [State.CANCELLED, State.EXPIRED, State.DEAD])
def test_every_other_end_is_told_too(receiver: Receiver, user: Any, run_next: Any, state: State) -> None:
    job = Job.objects.get(pk=_submit(receiver, user))
    endings.end(job, state=state, error=ValueError("why"))
    run_next()  # the job's own message, of a job that is final
    run_next()

    [received] = receiver.received
    assert received.told["type"] == f"job.{state}"


def test_a_call_whose_job_is_deleted_calls_nobody(receiver: Receiver, user: Any, run_next: Any) -> None:
    job_id = _submit(receiver, user)
    run_next()
    Job.objects.get(pk=job_id).delete()

    assert run_next().state == State.SUCCEEDED
    assert receiver.received == []


def test_deleting_a_job_deletes_what_was_told_of_it(receiver: Receiver, user: Any, run_next: Any) -> None:
    job_id = _submit(receiver, user)
    run_next()
    run_next()

    Job.objects.filter(pk=job_id).delete()

    assert not Delivery.objects.exists()


def test_a_worker_that_dies_in_the_call_leaves_a_trace_and_the_next_one_calls(
    receiver: Receiver, user: Any, run_next: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_args: Any, **_options: Any) -> None:
        raise SystemExit

    _submit(receiver, user)
    run_next()
    call = Job.objects.get(task=DELIVER)
    told = {"job_id": call.kwargs["job_id"], "state": "succeeded", "url": receiver.url()}
    delivery = deliveries.first(call.pk, ended_at=timezone.now(), **told)
    assert delivery is not None
    with monkeypatch.context() as patch:
        patch.setattr("apps.webhooks.calling.call", dies)
        with pytest.raises(SystemExit):
            deliveries.attempt(delivery, now=timezone.now())

    run_next()

    assert list(Attempt.objects.values_list("status", flat=True)) == [None, 200]
    assert receiver.received[0].headers["Warren-Attempt"] == "2"
    assert Delivery.objects.count() == 1


def test_it_is_sent_if_and_only_if_the_end_commits(receiver: Receiver, user: Any) -> None:
    job = Job.objects.get(pk=_submit(receiver, user))

    with transaction.atomic():
        endings.end(job, state=State.CANCELLED, error=ValueError("why"))
        accepted_with_it = Job.objects.filter(task=DELIVER).exists()
        transaction.set_rollback(True)

    assert accepted_with_it
    assert not Job.objects.filter(task=DELIVER).exists()


def test_a_large_result_is_left_out_with_a_link_to_it(
    receiver: Receiver, user: Any, run_next: Any, settings: Settings
) -> None:
    settings.WEBHOOK_MAX_BYTES = 5000
    job_id = _submit(receiver, user, size=9000)
    run_next()
    run_next()

    [received] = receiver.received
    assert len(received.body) <= 5000
    assert (received.told["omitted"], received.told["job"]["result"]) == (["result"], None)
    assert received.told["job"]["links"]["result"].endswith(f"/api/task-result/{job_id}/")


def test_the_body_says_nothing_that_the_owner_may_not_read(user: Any, staff: Any) -> None:
    with owned_by(user.pk):
        job_id = _call_back(fail, "https://example.com/?token=abc").id
    endings.end(Job.objects.get(pk=job_id), state=State.FAILED, error=ValueError("why"))
    retry.retry([job_id], by=Actor(user_id=staff.pk))
    job = Job.objects.get(pk=job_id)

    body = payloads.of(job, delivery_id="1", state=job.state, ended_at=timezone.now())

    assert staff.email not in body
    assert "token" not in body
    assert json.loads(body)["job"]["history"][0]["by"] == "staff"


def test_redelivering_makes_the_same_call_once_more_and_records_who(
    receiver: Receiver, user: Any, staff: Any, run_next: Any
) -> None:
    _submit(receiver, user)
    run_next()
    run_next()

    noted = deliveries.repeat(Delivery.objects.get(), by_id=staff.pk)
    call = run_next()

    assert (call.pk, call.state, call.owner) == (noted.task_id, State.SUCCEEDED, user)
    assert len({(each.body, each.headers["Warren-Delivery"]) for each in receiver.received}) == 1
    assert len(receiver.received) == 2
    assert (noted.by, noted.delivery) == (staff, Delivery.objects.get())
    assert Delivery.objects.get().delivered_at is not None


def test_redelivering_what_is_about_to_be_called_is_refused(receiver: Receiver, user: Any, run_next: Any) -> None:
    _submit(receiver, user)
    run_next()
    run_next()
    deliveries.repeat(Delivery.objects.get(), by_id=user.pk)

    with pytest.raises(NothingToRepeatError):
        deliveries.repeat(Delivery.objects.get(), by_id=user.pk)


def test_what_waits_for_its_next_attempt_is_called_now_and_not_twice(
    receiver: Receiver, user: Any, run_next: Any
) -> None:
    receiver.script = Script(statuses=[500, 200])
    _submit(receiver, user)
    run_next()
    waits = run_next()
    assert waits.state == State.RETRYING
    Job.objects.filter(pk=waits.pk).update(priority=None)

    deliveries.repeat(Delivery.objects.get(), by_id=user.pk)
    states = {run_next().state for _ in range(2)}

    assert states == {State.SUCCEEDED}
    assert len(receiver.received) == 2


def test_a_bad_address_is_refused_before_anything_is_accepted() -> None:
    with pytest.raises(CallbackUrlError) as raised:
        _call_back(answer, "http://ann:secret-word@10.0.0.1/")

    assert "secret-word" not in str(raised.value)
    assert not Job.objects.exists()
