import socket
from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest
from celery.concurrency import solo

from warren.delivery.wire import Wire
from warren.delivery.wire_step import WireStep


class Consumer:
    """In place of Celery's, with a connection whose frames are single bytes."""

    def __init__(self, *, hub: Any) -> None:
        self.hub = hub
        self.pool: Any = None
        ours, self.peer = socket.socketpair()
        self.wire: Any = Wire("nowhere:5672")
        self.wire.sock = ours
        self.wire._setup_transport()
        self.connection: Any = SimpleNamespace(
            connection=SimpleNamespace(transport=self.wire), drain_events=self.drain_events
        )
        self.handled = b""

    def drain_events(self, *, timeout: float) -> None:
        """Handles one byte of what was read ahead, and acks it; `.` is half a frame."""
        assert timeout == 0
        if self.wire._read_buffer == b".":
            raise TimeoutError
        self.handled += self.wire._read(1)
        self.wire.write(b"a")

    def has_come(self) -> bytes:
        self.peer.settimeout(0)
        try:
            return self.peer.recv(100)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        self.peer.close()
        self.wire.sock.close()


@pytest.fixture
def consumer() -> Iterator[Consumer]:
    with closing(Consumer(hub=SimpleNamespace(on_tick=set()))) as made:
        yield made


def _turn(consumer: Consumer) -> None:
    for call in list(consumer.hub.on_tick):
        call()


def test_it_sends_once_a_turn_what_was_written_in_it(consumer: Consumer) -> None:
    WireStep(consumer).start(consumer)

    consumer.wire.write(b"one")
    consumer.wire.write(b"two")
    before = consumer.has_come()
    _turn(consumer)

    assert (before, consumer.has_come()) == (b"", b"onetwo")


def test_it_handles_what_was_read_ahead_when_the_loop_is_about_to_wait(consumer: Consumer) -> None:
    WireStep(consumer).start(consumer)
    consumer.peer.sendall(b"1234.")
    consumer.wire._read(1)  # an answer that somebody waited for, and what came behind it

    _turn(consumer)

    assert consumer.handled == b"234"
    assert consumer.has_come() == b"aaa"


def test_it_writes_at_once_when_the_consumer_has_stopped(consumer: Consumer) -> None:
    step = WireStep(consumer)
    step.start(consumer)
    step.stop(consumer)

    consumer.wire.write(b"one")

    assert consumer.has_come() == b"one"
    assert not consumer.hub.on_tick


def test_it_sends_what_is_held_back_when_the_consumer_stops(consumer: Consumer) -> None:
    step = WireStep(consumer)
    step.start(consumer)
    consumer.wire.write(b"ack")

    step.stop(consumer)

    assert consumer.has_come() == b"ack"


def test_it_lets_the_pool_send_what_the_turn_has_given_it(consumer: Consumer) -> None:
    WireStep(consumer).start(consumer)
    looked: list[bytes] = []
    consumer.hub.on_tick.add(lambda: looked.append(consumer.handled))
    consumer.peer.sendall(b"12")
    consumer.wire._read(1)

    _turn(consumer)

    assert looked[-1] == b"2"


def test_it_leaves_the_connection_alone_when_tasks_run_within_the_loop(consumer: Consumer) -> None:
    consumer.pool = solo.TaskPool()
    WireStep(consumer).start(consumer)

    consumer.wire.write(b"one")

    assert consumer.has_come() == b"one"
    assert not consumer.wire.reads_ahead


def test_it_leaves_the_connection_alone_when_there_is_no_event_loop() -> None:
    with closing(Consumer(hub=None)) as green:
        step = WireStep(green)
        step.start(green)

        green.wire.write(b"one")
        step.stop(green)

        assert green.has_come() == b"one"


def test_it_does_nothing_when_the_broker_is_redis() -> None:
    consumer = SimpleNamespace(
        hub=SimpleNamespace(on_tick=set()), connection=SimpleNamespace(connection=SimpleNamespace())
    )

    step = WireStep(consumer)
    step.start(consumer)
    step.stop(consumer)

    assert not consumer.hub.on_tick
