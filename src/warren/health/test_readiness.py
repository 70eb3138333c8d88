"""Which of a worker's conditions count as consuming; RabbitMQ is real, the worker around the step is not."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery.app import app_or_default
from kombu import Connection

from warren.delivery.batching.ahead import Ahead
from warren.health import inspector
from warren.health.readiness import LOOKS_AT_A_LOST_CONNECTION, ReadinessStep, Verdict

QUEUE = "test-readiness"


class NoTimer:
    def call_repeatedly(self, *_args: Any) -> None: ...

    def call_after(self, *_args: Any) -> None: ...


@pytest.fixture
def connection() -> Iterator[Connection]:
    with app_or_default().connection_for_write() as connection:
        channel: Any = connection.default_channel
        channel.queue_delete(QUEUE)
        channel.queue_declare(QUEUE, durable=True, auto_delete=False)
        yield connection
        channel.queue_delete(QUEUE)


@pytest.fixture
def worker(signs: Path, connection: Connection) -> SimpleNamespace:  # noqa: ARG001  the step shows its signs there
    app = SimpleNamespace(
        amqp=SimpleNamespace(queues=SimpleNamespace(consume_from={QUEUE: None})),
        connection_for_write=app_or_default().connection_for_write,
    )
    return SimpleNamespace(
        app=app,
        connection=connection,
        timer=NoTimer(),
        on_task_message=set(),
        task_buckets={},
        pool=SimpleNamespace(num_processes=2),
        controller=SimpleNamespace(use_eventloop=True),
        task_consumer=SimpleNamespace(consuming_from=lambda _queue: True),
    )


@pytest.fixture
def step(worker: SimpleNamespace) -> Iterator[ReadinessStep]:
    step = ReadinessStep(worker)
    step.start(worker)
    yield step
    step._inspector.close()


def consume(connection: Connection) -> None:
    """A consumer that takes nothing from now on: its prefetch is used up by one message."""
    channel: Any = connection.channel()
    channel.basic_qos(0, 1, False)  # noqa: FBT003  amqp's own order
    channel.basic_consume(QUEUE, callback=lambda _message: None, on_cancel=lambda _tag: None)


def publish(connection: Connection, count: int) -> None:
    with connection.Producer() as producer:
        for _ in range(count):
            producer.publish("x", routing_key=QUEUE, retry=False)


def look_again(step: ReadinessStep, worker: SimpleNamespace) -> Verdict:
    step._asked_at = float("-inf")
    return step._judge(worker)[0]


def test_it_is_ready_while_idle(step: ReadinessStep, worker: SimpleNamespace, signs: Path) -> None:
    consume(worker.connection)

    step.check(worker)

    assert (signs / "worker.ready").exists()


def test_it_is_not_ready_when_a_queue_was_cancelled(step: ReadinessStep, worker: SimpleNamespace, signs: Path) -> None:
    consume(worker.connection)
    step.check(worker)
    worker.task_consumer = SimpleNamespace(consuming_from=lambda _queue: False)

    step.check(worker)

    assert not (signs / "worker.ready").exists()


def test_it_is_not_ready_when_nobody_consumes(step: ReadinessStep, worker: SimpleNamespace) -> None:
    assert look_again(step, worker) is Verdict.NOT_CONSUMING


def test_it_is_not_ready_when_the_queue_is_gone(step: ReadinessStep, worker: SimpleNamespace) -> None:
    worker.connection.default_channel.queue_delete(QUEUE)

    assert look_again(step, worker) is Verdict.NOT_CONSUMING


def test_it_is_not_ready_when_messages_wait_and_none_comes(step: ReadinessStep, worker: SimpleNamespace) -> None:
    consume(worker.connection)
    publish(worker.connection, 3)

    verdicts = [look_again(step, worker) for _ in range(2)]

    assert verdicts == [Verdict.CONSUMING, Verdict.NOT_CONSUMING]


def test_it_is_ready_when_messages_wait_and_some_come(step: ReadinessStep, worker: SimpleNamespace) -> None:
    consume(worker.connection)
    publish(worker.connection, 3)
    look_again(step, worker)

    for note in worker.on_task_message:
        note(None)

    assert look_again(step, worker) is Verdict.CONSUMING


def test_it_asks_nothing_while_every_slot_is_taken(step: ReadinessStep, worker: SimpleNamespace) -> None:
    worker.pool.num_processes = 0

    assert look_again(step, worker) is Verdict.CONSUMING


def test_it_is_not_ready_when_every_slot_is_taken_and_its_queue_is_lost(
    step: ReadinessStep, worker: SimpleNamespace
) -> None:
    worker.pool.num_processes = 0
    worker.task_consumer = SimpleNamespace(consuming_from=lambda _queue: False)

    assert look_again(step, worker) is Verdict.NOT_CONSUMING


def test_it_is_ready_while_it_holds_more_than_it_wants_to(step: ReadinessStep, worker: SimpleNamespace) -> None:
    worker.pool = Ahead(limit=0)
    worker.pool.consuming = SimpleNamespace(is_shrinking=True)
    worker.task_consumer = SimpleNamespace(consuming_from=lambda _queue: False)

    assert look_again(step, worker) is Verdict.CONSUMING


def test_it_leaves_the_sign_to_age_when_rabbitmq_does_not_answer(
    step: ReadinessStep, worker: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspector, "TIMEOUT_S", 0.2)
    worker.app.connection_for_write = lambda **kwargs: Connection("pyamqp://127.0.0.1:9", **kwargs)

    assert look_again(step, worker) is Verdict.DOUBTFUL


def test_it_withdraws_readiness_when_the_consumer_stops(
    step: ReadinessStep, worker: SimpleNamespace, signs: Path
) -> None:
    consume(worker.connection)
    step.check(worker)

    step.stop(worker)
    step.check(worker)

    assert not (signs / "worker.ready").exists()


def test_it_ends_an_event_loop_that_has_not_noticed_its_lost_connection(
    step: ReadinessStep, worker: SimpleNamespace
) -> None:
    lost = SimpleNamespace(connected=False)
    worker.connection, kept = lost, worker.connection

    for _ in range(LOOKS_AT_A_LOST_CONNECTION - 1):
        step.check(worker)
    with pytest.raises(ConnectionResetError):
        step.check(worker)

    worker.connection = kept
    for _ in range(LOOKS_AT_A_LOST_CONNECTION + 1):
        step.check(worker)


def test_it_leaves_a_green_pool_to_its_own_reconnecting(step: ReadinessStep, worker: SimpleNamespace) -> None:
    worker.controller.use_eventloop = False
    worker.connection = SimpleNamespace(connected=False)

    for _ in range(LOOKS_AT_A_LOST_CONNECTION + 1):
        step.check(worker)
