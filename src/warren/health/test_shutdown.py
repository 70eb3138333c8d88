"""What a worker of greenlets does with what waits for a place; its way out is the integration tests' matter."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from celery.worker import consumer as celery_consumer

from warren.delivery import places
from warren.delivery.batching.gevent import GeventPool
from warren.health import shutdown
from warren.health.pulse import Consumer

given_back: list[str] = []


@pytest.fixture
def pool() -> Iterator[GeventPool]:
    """With a job that waits, because there is no place."""
    given_back.clear()
    made = GeventPool(0)
    made.start()
    made.apply_async(print, ("task", "waits", {}), {}, error_callback=lambda _error: given_back.append("waits"))
    yield made
    places.current = None


def test_it_gives_back_what_waits_when_it_is_told_to_stop(pool: GeventPool) -> None:
    shutdown._stop_consuming(SimpleNamespace(task_consumer=None, pool=pool))

    pool.grow()
    assert given_back == ["waits"]
    assert not pool._in_place


def test_it_begins_nothing_while_it_closes_a_lost_connection(pool: GeventPool, monkeypatch: pytest.MonkeyPatch) -> None:
    def close(_consumer: Any, _exc: Exception) -> None:
        pool.grow()

    monkeypatch.setattr(celery_consumer.Consumer, "on_connection_error_after_connected", close)
    consumer = Consumer.__new__(Consumer)
    consumer.pool = pool

    consumer.on_connection_error_after_connected(ConnectionResetError())

    assert (given_back, pool._in_place) == ([], set())
