"""A cluster whose first node is gone, as its clients see it; the node that is left is a real RabbitMQ."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from celery.app import app_or_default
from django.core.exceptions import ImproperlyConfigured
from kombu import Connection
from kombu.exceptions import OperationalError
from kombu.transport import pyamqp

from warren.delivery import broker_addresses, losable
from warren.delivery.rabbitmq_publisher import RabbitMQPublisher

GONE = "pyamqp://127.0.0.1:9/warren"


@pytest.fixture
def left() -> str:
    """The address of the node that is left."""
    return str(app_or_default().conf.broker_url)


@pytest.fixture
def app(left: str) -> Iterator[Celery]:
    """An app whose first two addresses lead nowhere."""
    made = Celery("clustered", set_as_current=False)
    made.conf.update(broker_url=f"{GONE};{GONE};{left}", result_backend=None)
    yield made
    made.close()


@pytest.mark.parametrize("url", ["pyamqp://one/v;two", "pyamqp://one/v;", ""])
def test_it_refuses_what_is_no_address(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="write each in full"):
        broker_addresses.split(url)


def test_it_connects_to_the_last_when_all_others_are_gone(left: str) -> None:
    with Connection(f"{GONE};{GONE};{left}") as connection:
        broker_addresses.connect(connection)

        assert connection.connected


@pytest.mark.parametrize("count", [1, 3])
def test_it_tries_each_once_when_all_are_gone(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def refuse(transport: Any) -> None:
        tried.append(transport.client.hostname)
        raise ConnectionRefusedError

    monkeypatch.setattr(pyamqp.Transport, "establish_connection", refuse)
    with Connection(";".join(f"pyamqp://127.0.0.{number}:9//" for number in range(count))) as connection:
        began = time.monotonic()

        with pytest.raises(OperationalError):
            broker_addresses.connect(connection)

    assert tried == [f"127.0.0.{number}" for number in range(count)]
    assert time.monotonic() - began < 1


def test_the_relay_reaches_the_node_that_is_left(app: Celery) -> None:
    publisher = RabbitMQPublisher(app)

    assert publisher.has_mark("never-left") is False
    publisher.close()


def test_what_may_be_lost_reaches_the_node_that_is_left(app: Celery) -> None:
    with app.producer_or_acquire() as producer:
        producer.publish({}, exchange="", routing_key="nowhere", retry=True, retry_policy=losable.retry_policy(app))

        assert producer.connection.connected
