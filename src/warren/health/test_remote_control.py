"""The greenlet is a thread here, and RabbitMQ is real."""

from threading import Event, Thread
from types import SimpleNamespace
from typing import Any

import pytest
from celery.app import app_or_default

from warren.health import remote_control
from warren.health.remote_control import LastingPidbox

WITHIN_S = 10


@pytest.fixture
def consumer() -> SimpleNamespace:
    app = app_or_default()
    connection = app.connection_for_read()
    return SimpleNamespace(
        app=app,
        hostname="worker-test@remote-control",
        controller=SimpleNamespace(use_eventloop=False),
        connection=connection,
        connection_for_read=app.connection_for_read,
        connection_errors=connection.connection_errors,
        channel_errors=connection.channel_errors,
        on_decode_error=None,
    )


class FailingBox(LastingPidbox):
    """Finds its queue gone the first time, as after the death of a cluster's node."""

    def __init__(self, consumer: Any) -> None:
        super().__init__(consumer)
        self.failed, self.listening = Event(), Event()

    def _do_reset(self, c: Any, connection: Any) -> None:
        if not self.failed.is_set():
            self.failed.set()
            connection.channel().queue_bind("not-there", "amq.fanout")
        super()._do_reset(c, connection)  # type: ignore[misc]  # Celery's stubs leave it out
        self.listening.set()


@pytest.fixture
def box(consumer: SimpleNamespace) -> FailingBox:
    return FailingBox(consumer)


def test_it_listens_again_when_its_queue_was_gone(box: FailingBox, consumer: SimpleNamespace) -> None:
    thread = Thread(target=box.loop, args=(consumer,))
    thread.start()

    assert box.listening.wait(WITHIN_S)

    box.on_stop()
    thread.join(WITHIN_S)
    assert not thread.is_alive()


def test_it_ends_when_it_is_told_to_stop_before_it_listens_again(
    box: FailingBox, consumer: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_control, "AGAIN_AFTER_S", 10 * WITHIN_S)
    thread = Thread(target=box.loop, args=(consumer,))
    thread.start()
    assert box.failed.wait(WITHIN_S)

    box.on_stop()

    thread.join(WITHIN_S)
    assert not thread.is_alive()
    assert not box.listening.is_set()
