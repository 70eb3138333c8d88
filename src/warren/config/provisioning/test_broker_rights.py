from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from celery import Celery
from celery.app import app_or_default
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from kombu import Connection, Exchange, Queue

from warren.config.provisioning import broker, management
from warren.delivery.topology import DEAD_LETTER_QUEUE, LOSABLE_EXCHANGE, MARK_PREFIX

PASSWORD = "for-tests-only"  # noqa: S105  of a broker that lives in memory
VHOST = "provisioning"


@pytest.fixture
def provisioned(monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """A virtual host of its own, provisioned; yields the management API."""
    host = urlsplit(settings.CELERY_BROKER_URL).hostname
    monkeypatch.setattr(settings, "CELERY_BROKER_URL", f"pyamqp://{host}:5672/{VHOST}")
    monkeypatch.setenv("RABBITMQ_ADMIN_PASSWORD", settings.BROKER_PASSWORD)
    for user in broker.users():
        monkeypatch.setenv(user.password_variable, PASSWORD)
    api = httpx.Client(base_url=f"http://{host}:{management.PORT}/api/", auth=(broker.ADMIN, settings.BROKER_PASSWORD))
    with api:
        list(broker.provision())
        yield api
        api.delete(f"vhosts/{VHOST}")


@pytest.fixture
def app() -> Celery:
    return app_or_default()


def _as(user: str) -> Connection:
    host = urlsplit(settings.CELERY_BROKER_URL).hostname
    # with confirms, a refused publish is told at once
    return Connection(f"pyamqp://{user}:{PASSWORD}@{host}:5672/{VHOST}", transport_options={"confirm_publish": True})


def test_it_makes_the_declared_queues_when_it_runs_and_runs_again(provisioned: httpx.Client) -> None:
    list(broker.provision())

    found = {queue["name"]: queue for queue in provisioned.get(f"queues/{VHOST}").json()}
    assert found.keys() == {"cpu", "io", DEAD_LETTER_QUEUE}
    assert {queue["type"] for queue in found.values()} == {"quorum"}
    assert found["cpu"]["arguments"]["x-delivery-limit"] == 5


def test_it_says_what_to_do_when_a_queue_has_other_arguments(provisioned: httpx.Client) -> None:
    provisioned.delete(f"queues/{VHOST}/cpu")
    provisioned.put(f"queues/{VHOST}/cpu", json={"durable": True, "arguments": {"x-queue-type": "classic"}})

    with pytest.raises(ImproperlyConfigured, match="Declare a queue with a new name"):
        list(broker.provision())


def test_it_does_nothing_when_the_broker_is_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "CELERY_BROKER_URL", "redis://nowhere:6379/0")

    assert list(broker.provision()) == []


@pytest.mark.usefixtures("provisioned")
def test_it_lets_only_the_relay_publish_jobs_when_provisioned() -> None:
    with _as("relay") as connection:
        connection.Producer(auto_declare=False).publish({}, routing_key="cpu")
    for user in ("web", "worker", "flower"):
        with _as(user) as connection, pytest.raises(connection.channel_errors, match="ACCESS_REFUSED"):
            connection.Producer(auto_declare=False).publish({}, routing_key="cpu")


@pytest.mark.usefixtures("provisioned")
def test_it_lets_only_workers_take_jobs_and_nobody_make_queues_when_provisioned() -> None:
    with _as("worker") as connection:
        assert Queue("cpu", no_declare=True)(connection.default_channel).get() is None
    for user in ("web", "relay", "flower"):
        with _as(user) as connection, pytest.raises(connection.channel_errors, match="ACCESS_REFUSED"):
            Queue("cpu", no_declare=True)(connection.default_channel).get()
    for user in ("web", "worker", "relay", "flower"):
        with _as(user) as connection, pytest.raises(connection.channel_errors, match="ACCESS_REFUSED"):
            Queue("new")(connection.default_channel).queue_declare()


@pytest.mark.usefixtures("provisioned")
def test_it_lets_web_and_workers_publish_what_may_be_lost_when_provisioned() -> None:
    for user in ("web", "worker"):
        with _as(user) as connection:
            connection.Producer(auto_declare=False).publish({}, exchange=LOSABLE_EXCHANGE, routing_key="cpu")
    for user in ("relay", "flower"):
        with _as(user) as connection, pytest.raises(connection.channel_errors, match="ACCESS_REFUSED"):
            connection.Producer(auto_declare=False).publish({}, exchange=LOSABLE_EXCHANGE, routing_key="cpu")
    with _as("worker") as connection:
        assert Queue("cpu", no_declare=True)(connection.default_channel).get() is not None


@pytest.mark.usefixtures("provisioned")
def test_it_lets_only_the_relay_leave_a_mark_when_provisioned() -> None:
    mark = Exchange(f"{MARK_PREFIX}x", type="direct", durable=True)
    with _as("relay") as connection:
        mark(connection.default_channel).declare()
    for user in ("web", "worker", "flower"):
        with _as(user) as connection, pytest.raises(connection.channel_errors, match="ACCESS_REFUSED"):
            Exchange(f"{MARK_PREFIX}y", type="direct")(connection.default_channel).declare()


def test_it_leaves_no_guest_when_the_broker_has_started(provisioned: httpx.Client) -> None:
    assert {user["name"] for user in provisioned.get("users").json()} == {"admin", "web", "worker", "relay", "flower"}


def test_it_throws_away_what_was_fetched_too_and_the_marks(provisioned: httpx.Client, app: Celery) -> None:
    mark = f"{MARK_PREFIX}of-this-broker"
    with _as("relay") as relay, _as("worker") as worker:
        Exchange(mark)(relay.default_channel).declare()
        for queue in ("cpu", "io", "cpu"):
            relay.Producer(auto_declare=False).publish({}, routing_key=queue)
        assert Queue("cpu", no_declare=True)(worker.default_channel).get() is not None

        list(broker.empty(app))

    with _as("worker") as connection:
        for name in ("cpu", "io"):
            assert Queue(name, no_declare=True)(connection.default_channel).get() is None
        connection.Producer(auto_declare=False).publish({}, exchange=LOSABLE_EXCHANGE, routing_key="cpu")
        assert Queue("cpu", no_declare=True)(connection.default_channel).get() is not None
    assert mark not in {each["name"] for each in provisioned.get(f"exchanges/{VHOST}").json()}


def test_it_makes_the_queues_when_it_empties_a_broker_without(provisioned: httpx.Client, app: Celery) -> None:
    provisioned.delete(f"queues/{VHOST}/cpu")

    list(broker.empty(app))

    assert "cpu" in {queue["name"] for queue in provisioned.get(f"queues/{VHOST}").json()}


def test_it_empties_redis(monkeypatch: pytest.MonkeyPatch, app: Celery) -> None:
    url = f"redis://default:{settings.BROKER_PASSWORD}@redis:6379/0"
    monkeypatch.setattr(settings, "CELERY_BROKER_URL", url)
    monkeypatch.setattr(app.conf, "broker_write_url", url)
    with app.connection_for_write() as connection:
        redis: Any = connection.default_channel.client  # type: ignore[attr-defined]  # Redis' own
        redis.lpush("cpu", "a message")

        list(broker.empty(app))

        assert redis.dbsize() == 0
