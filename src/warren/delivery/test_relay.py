import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from celery import Celery, shared_task
from django.db import connection
from django.utils import timezone
from kombu import Queue

from warren.delivery.conftest import locked_elsewhere
from warren.delivery.models import Job, OutboxMessage
from warren.delivery.publisher import BrokerError
from warren.delivery.relay import Relay
from warren.delivery.relay_pace import TRICKLE_S
from warren.delivery.states import State

pytestmark = pytest.mark.django_db(transaction=True)

type Queues = dict[str, Queue]


@shared_task(name="relay.add", queue="cpu")
def add(left: int, right: int) -> int:
    return left + right


@shared_task(name="relay.forbidden", queue="cpu")
def forbidden(_request: Any, _exc: Exception, _traceback: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE pg_monitor")
        cursor.execute("SELECT * FROM warren_job")


def _take(queue: Queue) -> Any:
    message = queue.get(no_ack=True)
    assert message is not None, f"{queue.name} is empty"
    return message


def test_it_moves_messages_and_marks_jobs_queued_when_they_are_due(relay: Relay, queues: Queues) -> None:
    results = [add.delay(number, 1) for number in range(3)]

    moved = relay.run_pass()

    assert moved == 3
    assert [_take(queues["cpu"]).headers["id"] for _ in results] == [result.id for result in results]
    assert not OutboxMessage.objects.exists()
    assert set(Job.objects.values_list("state", flat=True)) == {State.QUEUED}


def test_it_sends_persistent_messages_as_celery_s_workers_expect_when_it_publishes(
    relay: Relay, queues: Queues
) -> None:
    result = add.apply_async((1, 2), priority=6)

    relay.run_pass()

    message = _take(queues["cpu"])
    assert (message.content_type, message.payload[0]) == ("application/json", [1, 2])
    assert message.properties["delivery_mode"] == 2
    assert message.properties["correlation_id"] == result.id
    assert message.properties["priority"] == 6


def test_it_leaves_a_message_when_it_is_not_due(relay: Relay) -> None:
    add.apply_async((1, 2), countdown=60)

    assert relay.run_pass() == 0
    assert OutboxMessage.objects.count() == 1


def test_it_leaves_a_message_when_its_job_and_one_that_is_out_are_suspects(relay: Relay, queues: Queues) -> None:
    suspects = [add.delay(number, 1).id for number in range(2)]
    Job.objects.filter(pk__in=suspects).update(losses=2)

    assert relay.run_pass() == 1

    assert _take(queues["cpu"]).headers["id"] == suspects[0]
    assert OutboxMessage.objects.get().job_id == suspects[1]


def test_it_keeps_the_row_with_the_reason_when_no_queue_takes_the_message(relay: Relay, queues: Queues) -> None:
    lost, sent = add.delay(1, 2), add.delay(3, 4)
    job = Job.objects.get(pk=lost.id)
    Job.objects.filter(pk=lost.id).update(
        message=job.message.replace('"routing_key": "cpu"', '"routing_key": "nowhere"')
    )

    assert relay.run_pass() == 1

    message = OutboxMessage.objects.get()
    assert (message.job_id, message.failures) == (lost.id, 1)
    assert "'nowhere'" in message.last_error
    assert message.available_at > timezone.now()
    assert Job.objects.get(pk=lost.id).state == State.ACCEPTED
    assert _take(queues["cpu"]).headers["id"] == sent.id


def test_it_sends_the_others_when_one_row_is_no_message(relay: Relay, queues: Queues) -> None:
    poison, sent = add.delay(1, 2), add.delay(3, 4)
    Job.objects.filter(pk=poison.id).update(message="")

    assert relay.run_pass() == 1

    assert "not a message" in OutboxMessage.objects.get(job_id=poison.id).last_error
    assert _take(queues["cpu"]).headers["id"] == sent.id


def test_it_ends_and_sends_the_others_when_one_job_cannot_be_ended(
    relay: Relay, queues: Queues, caplog: pytest.LogCaptureFixture
) -> None:
    poison, expired = add.apply_async((1, 2), expires=60), add.apply_async((1, 2), expires=60)
    sent = add.delay(3, 4)
    Job.objects.exclude(pk=sent.id).update(expires_at=timezone.now() - timedelta(seconds=1))
    Job.objects.filter(pk=poison.id).update(message="no JSON")

    assert relay.run_pass() == 2

    message = OutboxMessage.objects.get()
    assert (message.job_id, message.failures) == (poison.id, 1)
    assert "its job cannot be ended: JSONDecodeError" in message.last_error
    assert message.available_at > timezone.now()
    assert Job.objects.get(pk=poison.id).state == State.ACCEPTED
    assert Job.objects.get(pk=expired.id).state == State.EXPIRED
    assert _take(queues["cpu"]).headers["id"] == sent.id
    assert f"the expiry of job {poison.id} failed" in caplog.text


def test_it_expires_a_job_when_its_errback_has_no_right_to_a_table(relay: Relay) -> None:
    result = add.apply_async((1, 2), expires=60, link_error=forbidden.s())
    Job.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert relay.run_pass() == 1

    assert Job.objects.get(pk=result.id).state == State.EXPIRED


@pytest.mark.usefixtures("queues")
def test_it_goes_on_and_is_not_alive_meanwhile_when_a_pass_fails_by_a_defect(
    app: Celery, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    passes: list[str] = []

    def note_and_stop() -> None:
        passes.append("alive")
        running.stop()

    running = Relay(app, on_pass=note_and_stop)
    well = running.run_pass

    def fail_once() -> int:
        monkeypatch.setattr(running, "run_pass", well)
        passes.append("defect")
        raise AttributeError("a defect")

    monkeypatch.setattr(running, "run_pass", fail_once)

    running.run()

    assert passes == ["defect", "alive"]
    assert "AttributeError: a defect" in caplog.text


def test_it_publishes_nothing_when_the_job_was_cancelled_or_has_expired(relay: Relay, queues: Queues) -> None:
    cancelled, expired = add.delay(1, 2), add.apply_async((1, 2), expires=60)
    Job.objects.filter(pk=cancelled.id).update(state=State.CANCELLED)
    Job.objects.filter(pk=expired.id).update(expires_at=timezone.now() - timedelta(seconds=1))

    relay.run_pass()

    assert queues["cpu"].get() is None
    assert not OutboxMessage.objects.exists()
    assert Job.objects.get(pk=expired.id).state == State.EXPIRED
    assert Job.objects.get(pk=expired.id).finished_at is not None


def test_it_keeps_every_row_when_the_broker_is_away(app: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
    add.delay(1, 2)
    monkeypatch.setattr(app.conf, "broker_write_url", "pyamqp://127.0.0.1:1//")
    unreachable = Relay(app, on_pass=lambda: None)

    with pytest.raises(BrokerError):
        unreachable.run_pass()

    assert OutboxMessage.objects.count() == 1
    assert Job.objects.get().state == State.ACCEPTED


def test_it_leaves_rows_alone_when_another_relay_holds_them(relay: Relay, queues: Queues) -> None:
    add.delay(1, 2)

    with locked_elsewhere(OutboxMessage.objects.all()):
        assert relay.run_pass() == 0

    assert relay.run_pass() == 1
    assert _take(queues["cpu"])


def test_it_starts_passes_apart_when_much_comes_one_by_one(app: Celery, queues: Queues) -> None:
    passes: list[float] = []
    running = Relay(app, on_pass=lambda: passes.append(time.monotonic()))

    def run() -> None:
        running.run()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    began = time.monotonic()
    for number in range(200):
        add.delay(number, 1)
    took_s = time.monotonic() - began
    while OutboxMessage.objects.exists():
        assert time.monotonic() - began < 30
    running.stop()
    add.delay(0, 0)  # it may be waiting
    thread.join(10)

    assert not thread.is_alive()
    assert queues["cpu"].get(no_ack=True)
    assert len([each for each in passes if began <= each <= began + took_s]) <= took_s / TRICKLE_S + 1


def test_it_moves_a_delayed_message_when_its_time_comes(app: Celery, queues: Queues) -> None:
    moved: list[float] = []

    def note() -> None:
        if not OutboxMessage.objects.exists():
            moved.append(time.monotonic())

    running = Relay(app, on_pass=note)
    began = time.monotonic()
    result = add.apply_async((1, 2), countdown=0.6)

    def run() -> None:
        running.run()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    while not moved:
        assert time.monotonic() - began < 10
        time.sleep(0.01)
    running.stop()
    thread.join(10)

    assert moved[0] - began > 0.6
    assert _take(queues["cpu"]).headers["id"] == result.id


def test_it_wakes_at_once_and_stops_when_told_when_it_runs(app: Celery, queues: Queues) -> None:
    passes = threading.Semaphore(0)
    running = Relay(app, on_pass=passes.release)

    def run() -> None:
        running.run()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert passes.acquire(timeout=10)

    result = add.delay(1, 2)

    message = None
    for _ in range(20):
        if message := queues["cpu"].get(no_ack=True):
            break
        assert passes.acquire(timeout=10)
    running.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert message is not None
    assert message.headers["id"] == result.id
