from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery.app import app_or_default
from django.conf import settings
from redis import Redis

from warren.doctor import catalogue
from warren.doctor.checks import redis
from warren.doctor.finding import Status

URL = f"redis://default:{settings.BROKER_PASSWORD}@redis:6379/0"


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes this the broker's address."""
    return lambda url: monkeypatch.setattr(app_or_default().conf, "broker_write_url", url)


@pytest.fixture
def client(address: Callable[[str], None]) -> Iterator[Any]:
    """Redis, which is the broker; as it was after the test."""
    address(URL)
    with Redis.from_url(URL) as own:
        yield own
        own.replicaof("NO", "ONE")
        for name, value in {"maxmemory": "320mb", "maxmemory-policy": "noeviction", "appendonly": "yes"}.items():
            own.config_set(name, value)


@pytest.mark.usefixtures("client")
def test_all_is_well_as_configured() -> None:
    found = {check.name: check.examine() for check in redis.CHECKS}

    assert {finding.status for finding in found.values()} == {Status.OK}
    assert found["redis.reachable"].found.startswith("Valkey ")
    assert settings.BROKER_PASSWORD not in str(found)


@pytest.mark.usefixtures("client")
def test_the_doctor_asks_redis_and_not_rabbitmq() -> None:
    checks = {check.name: check for check in catalogue.checks()}

    assert "redis.reachable" in checks
    assert "rabbitmq.reachable" not in checks
    assert "redis.reachable" in checks["workers.answer"].needs


@pytest.mark.parametrize(
    ("setting", "value", "examine", "status", "said"),
    [
        ("maxmemory-policy", "allkeys-lru", redis.memory, Status.FAIL, "drops messages when it is full"),
        ("maxmemory", "1mb", redis.memory, Status.WARN, "of its memory is used"),
        ("appendonly", "no", redis.persistence, Status.WARN, "a restart loses what waits"),
    ],
)
def test_settings_that_lose_messages_are_found(
    client: Any, *, setting: str, value: str, examine: Callable[[], Any], status: Status, said: str
) -> None:
    client.config_set(setting, value)

    finding = examine()

    assert finding.status is status
    assert said in finding.found


def test_a_replica_takes_no_writes(client: Any) -> None:
    client.replicaof("127.0.0.1", 1)

    assert redis.reachable().status is Status.FAIL


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://default:wrong@redis:6379/0", "redis:6379: "),
        ("redis://127.0.0.1:1/0", "127.0.0.1:1: "),
        ("redis://nowhere.invalid:6379/0", "nowhere.invalid:6379: "),
    ],
)
def test_it_says_why_it_is_not_let_in(address: Callable[[str], None], url: str, said: str) -> None:
    address(url)

    finding = redis.reachable()

    assert finding.status is Status.FAIL
    assert finding.found.startswith(said)
    assert "docker compose" in finding.do


def test_it_gives_up_one_that_is_frozen(address: Callable[[str], None], silent_port: int) -> None:
    address(f"redis://127.0.0.1:{silent_port}/0")

    assert redis.reachable().status is Status.FAIL
