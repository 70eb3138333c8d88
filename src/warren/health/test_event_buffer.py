from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery

from warren.health.event_buffer import MOST, EventBufferStep


class Producer:
    """Notes what is published."""

    def __init__(self) -> None:
        self.published: list[tuple[str, int]] = []

    def publish(self, body: Any, *, routing_key: str, **_options: Any) -> None:
        self.published.append((routing_key, len(body) if isinstance(body, list) else 1))


class Timer:
    """Turns when the test says so."""

    def __init__(self) -> None:
        self.entries: list[Any] = []

    def call_repeatedly(self, _every_s: float, call: Any) -> SimpleNamespace:
        self.entries.append(call)
        return SimpleNamespace(cancel=lambda: self.entries.remove(call))


@pytest.fixture
def consumer() -> Any:
    """With a dispatcher as Celery makes it where there is no event loop."""
    app = Celery(broker="memory://", set_as_current=False)
    dispatcher = app.events.Dispatcher(app.connection_for_write(), hostname="worker-io@here")
    dispatcher.producer = Producer()
    errors = {"connection_errors": (OSError,), "channel_errors": ()}
    return SimpleNamespace(event_dispatcher=dispatcher, hub=None, timer=Timer(), connection=SimpleNamespace(**errors))


def _send(consumer: Any, count: int) -> None:
    for number in range(count):
        consumer.event_dispatcher.send("task-received", uuid=str(number))


def test_it_sends_events_together_when_time_has_passed(consumer: Any) -> None:
    EventBufferStep(consumer).start(consumer)

    _send(consumer, 3)
    assert consumer.event_dispatcher.producer.published == []
    consumer.timer.entries[0]()

    assert consumer.event_dispatcher.producer.published == [("task.multi", 3)]


def test_it_sends_events_when_there_are_many(consumer: Any) -> None:
    EventBufferStep(consumer).start(consumer)

    _send(consumer, MOST + 1)

    assert consumer.event_dispatcher.producer.published == [("task.multi", MOST)]


def test_it_sends_what_is_left_when_it_stops(consumer: Any) -> None:
    step = EventBufferStep(consumer)
    step.start(consumer)
    _send(consumer, 2)

    step.stop(consumer)

    assert consumer.event_dispatcher.producer.published == [("task.multi", 2)]


def test_it_has_one_timer_however_often_it_connects(consumer: Any) -> None:
    step = EventBufferStep(consumer)
    for _ in range(3):
        step.start(consumer)
        step.stop(consumer)
    consumer.timer.entries[0]()
    step.start(consumer)
    _send(consumer, 2)

    [flush] = consumer.timer.entries
    flush()

    assert consumer.event_dispatcher.producer.published == [("task.multi", 2)]


def test_it_leaves_a_worker_with_an_event_loop_alone(consumer: Any) -> None:
    consumer.hub = object()
    step = EventBufferStep(consumer)

    step.start(consumer)
    step.stop(consumer)

    assert consumer.timer.entries == []
    assert not consumer.event_dispatcher.buffer_group
