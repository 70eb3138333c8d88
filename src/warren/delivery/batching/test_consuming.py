"""How many messages RabbitMQ lets a worker hold while its window grows and shrinks; with a real quorum queue."""

import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from amqp.exceptions import NotFound
from celery import Celery
from kombu import Queue
from kombu.common import QoS

from warren.delivery.batching import consuming
from warren.delivery.batching.consuming import Consuming

NARROW, WIDE, MESSAGES = 3, 6, 40
QUIET_S = 0.5


class Worker:
    """In place of Celery's consumer: holds what it gets until the test acks it."""

    def __init__(self, app: Celery, *queues: str) -> None:
        self.initial_prefetch_count = NARROW
        self.pool: Any = SimpleNamespace(window=object())
        self.task_buckets: dict[str, Any] = {}
        self.qos = QoS(self.refuse, NARROW)
        self.qos.prev = NARROW  # it was told
        self.held: list[Any] = []
        self.connection = app.connection_for_read()
        channel: Any = self.connection.channel()
        channel.basic_qos(0, NARROW, False)  # noqa: FBT003  py-amqp's
        self.task_consumer = self.connection.Consumer(
            [Queue(queue, no_declare=True) for queue in queues], channel=channel, on_message=self.held.append
        )
        self.task_consumer.consume()

    def refuse(self, prefetch_count: int) -> None:
        raise AssertionError(f"nobody takes the prefetch count {prefetch_count}")

    def turn(self) -> None:
        """As Celery's loops do."""
        if self.qos.prev != self.qos.value:
            self.qos.update()

    def settle(self) -> int:
        """Returns how many are held when no more come."""
        quiet_at = time.monotonic() + QUIET_S
        while time.monotonic() < quiet_at:
            count = len(self.held)
            try:
                self.connection.drain_events(timeout=0.1)
            except TimeoutError:
                continue
            if len(self.held) > count:
                quiet_at = time.monotonic() + QUIET_S
        return len(self.held)

    def ack(self, count: int) -> None:
        for _ in range(count):
            self.held.pop(0).ack()


@pytest.fixture
def consume(app: Celery, queues: dict[str, Queue], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Worker]]:
    made = []

    def begin(*names: str) -> Worker:
        with app.connection_for_write() as connection:
            producer = connection.Producer()
            for name in names:
                for number in range(MESSAGES):
                    producer.publish(str(number), routing_key=name, delivery_mode=2)
        worker = Worker(app, *names)
        made.append(worker)
        monkeypatch.setattr(consuming, "held", lambda _consumer: len(worker.held))
        return worker

    yield begin
    for worker in made:
        worker.connection.release()
    for queue in queues.values():
        queue.purge()


@pytest.fixture
def worker(consume: Callable[..., Worker]) -> Worker:
    return consume("cpu")


def test_it_holds_no_more_than_the_window_when_that_grows(worker: Worker) -> None:
    before = worker.settle()

    Consuming(worker).resize(prefetch_count=WIDE)

    assert (before, worker.settle()) == (NARROW, WIDE)


def test_it_holds_no_more_than_the_window_when_that_has_shrunk(worker: Worker) -> None:
    subscription = _shrinking(worker)
    seen = []
    for _ in range(WIDE):
        worker.ack(1)
        subscription.resume_soon()
        worker.turn()
        seen.append(worker.settle())

    assert seen == [5, 4, 3, 3, 3, 3]


def test_it_ends_the_loop_when_the_broker_refuses_to_go_on(
    worker: Worker, app: Celery, queues: dict[str, Queue]
) -> None:
    """Else the worker would go on without a subscription."""
    subscription = _shrinking(worker)
    worker.ack(WIDE)
    queues["cpu"].delete()

    subscription.resume_soon()

    with pytest.raises(NotFound):
        worker.turn()
    with app.connection_for_write() as connection:
        queues["cpu"](connection).declare()


def test_it_goes_on_when_the_window_grows_with_several_queues(consume: Callable[..., Worker]) -> None:
    """RabbitMQ counts for each queue."""
    worker = consume("cpu", "io")
    before = worker.settle()

    Consuming(worker).resize(prefetch_count=WIDE)

    assert (before, worker.settle()) == (2 * NARROW, 2 * WIDE)


def test_it_asks_for_nothing_more_when_it_is_subscribed(worker: Worker) -> None:
    subscription = Consuming(worker)

    subscription.resume_soon()

    worker.turn()
    assert worker.settle() == NARROW


def test_it_stays_cancelled_when_another_has_cancelled_it(worker: Worker) -> None:
    worker.settle()
    worker.task_consumer.cancel()

    Consuming(worker).resize(prefetch_count=WIDE)

    assert worker.settle() == NARROW


def test_it_stays_cancelled_when_the_worker_was_told_to_stop_meanwhile(worker: Worker) -> None:
    subscription = Consuming(worker)
    subscription.resize(prefetch_count=WIDE)
    worker.settle()
    subscription.resize(prefetch_count=NARROW)

    worker.pool.window = None
    worker.ack(WIDE)
    subscription.resume()

    assert worker.settle() == 0


def _shrinking(worker: Worker) -> Consuming:
    """The worker holds more than its window, and waits."""
    subscription = Consuming(worker)
    worker.qos.callback = subscription.resize
    subscription.resize(prefetch_count=WIDE)
    worker.settle()
    subscription.resize(prefetch_count=NARROW)
    return subscription
