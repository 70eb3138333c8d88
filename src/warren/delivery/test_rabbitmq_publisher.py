"""A RabbitMQ that keeps the connection and says nothing, as a frozen one does. The wire to the real one is ours."""

import socket
import threading
from collections.abc import Iterator

import pytest
from celery import Celery
from celery.app import app_or_default
from kombu.utils.url import parse_url

from warren.delivery import rabbitmq_publisher
from warren.delivery.publisher import BrokerError
from warren.delivery.rabbitmq_publisher import RabbitMQPublisher

WITHIN_S = 10
CHUNK = 65_536


class Wire:
    """Carries one connection at a time to RabbitMQ, until it falls silent."""

    def __init__(self, host: str, port: int) -> None:
        self._far = (host, port)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._speaks = threading.Event()
        self._speaks.set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.getsockname()[1])

    def fall_silent(self) -> None:
        self._speaks.clear()

    def close(self) -> None:
        self._speaks.set()
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            far = socket.create_connection(self._far)
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(CHUNK):
                self._speaks.wait()
                target.sendall(data)
        except OSError:
            pass


@pytest.fixture
def wire() -> Iterator[Wire]:
    far = parse_url(app_or_default().conf.broker_url)
    made = Wire(far["hostname"], far["port"])
    yield made
    made.close()


@pytest.fixture
def publisher(wire: Wire) -> Iterator[RabbitMQPublisher]:
    far = parse_url(app_or_default().conf.broker_url)
    address = f"pyamqp://{far['userid']}:{far['password']}@127.0.0.1:{wire.port}/{far['virtual_host']}"
    made = RabbitMQPublisher(Celery("wired", broker=address, set_as_current=False))
    yield made
    made.close()


def test_it_gives_up_a_broker_that_does_not_answer(
    wire: Wire, publisher: RabbitMQPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbitmq_publisher, "ANSWER_TIMEOUT_S", 1.0)
    assert not publisher.has_mark("nobody-left-this")
    wire.fall_silent()
    given_up = threading.Event()

    def ask() -> None:
        with pytest.raises(BrokerError):
            publisher.has_mark("nobody-left-this")
        given_up.set()

    threading.Thread(target=ask, daemon=True).start()

    assert given_up.wait(WITHIN_S)
