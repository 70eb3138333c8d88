from types import SimpleNamespace
from typing import Any

import pytest
from celery.app import app_or_default
from django.conf import settings
from kombu import Connection

from warren.health.inspector import Look, QueueInspector

URL = f"redis://default:{settings.BROKER_PASSWORD}@redis:6379/0"


def _inspector(url: str) -> QueueInspector:
    app: Any = SimpleNamespace(connection_for_write=lambda **options: Connection(url, **options))
    return QueueInspector(app, ["looked-at"])


@pytest.mark.parametrize("waiting", [0, 2])
def test_it_counts_what_waits_in_redis_which_knows_no_consumers(waiting: int) -> None:
    with Connection(URL) as connection:
        client: Any = connection.default_channel.client  # type: ignore[attr-defined]  # Redis' own
        client.delete("looked-at")
        for _ in range(waiting):
            client.lpush("looked-at", "x")

    inspector = _inspector(URL)

    assert inspector.look() == Look(waiting=waiting, unconsumed=None)
    inspector.close()


def test_it_asks_the_node_that_is_left_when_others_of_a_cluster_are_gone() -> None:
    gone, left = "pyamqp://127.0.0.1:9//", str(app_or_default().conf.broker_url)
    with Connection(left) as connection:
        connection.default_channel.queue_declare("looked-at", durable=True, auto_delete=False)  # type: ignore[attr-defined]  # py-amqp's

    inspector = _inspector(f"{gone};{gone};{left}")

    assert inspector.look() == Look(waiting=0, unconsumed="looked-at")
    inspector.close()


def test_it_cannot_tell_when_redis_is_away() -> None:
    assert _inspector("redis://127.0.0.1:1/0").look() is None
