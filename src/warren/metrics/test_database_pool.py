import pytest
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, connections
from prometheus_client import REGISTRY

from warren.metrics import database_pool


def _told(name: str) -> float:
    value = REGISTRY.get_sample_value(f"warren_db_pool_{name}")
    assert value is not None
    return value


@pytest.mark.django_db(transaction=True)
def test_it_tells_of_the_pool_as_it_is() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    database_pool.look()
    in_use = _told("connections") - _told("idle")

    connection.close()
    database_pool.look()

    assert _told("size") == settings.DB_POOL_SIZE
    assert _told("waiting") == 0
    assert in_use == _told("connections") - _told("idle") + 1


def test_it_waits_for_no_pool_when_there_is_none_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    database_pool.MOST.set(7)
    monkeypatch.setattr(connections[DEFAULT_DB_ALIAS], "_connection_pools", {})

    database_pool.look()

    assert _told("size") == 7
