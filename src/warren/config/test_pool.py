from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg_pool import ConnectionPool

from warren.config import pool as config_pool

GIVES_UP_AFTER_S = 0.1
PATIENCE_S = 10.0


class _Wire:
    """Connections to the tests' own Postgres, while the wire is whole; notes each attempt in vain."""

    def __init__(self) -> None:
        self.whole, self.tried_twice = Event(), Event()
        self._failures = 0

    def connect(self, *_args: Any, **_options: Any) -> psycopg.Connection[Any]:
        if self.whole.is_set():
            return psycopg.connect(**_parameters())
        self._failures += 1
        if self._failures > 1:
            self.tried_twice.set()
        raise psycopg.OperationalError("the wire is cut")


def _parameters() -> dict[str, Any]:
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    return {name: connection.settings_dict[setting] for name, setting in names.items()} | {"dbname": "postgres"}


@pytest.fixture
def wire() -> _Wire:
    return _Wire()


@pytest.fixture
def pool(wire: _Wire) -> Iterator[ConnectionPool[Any]]:
    class Connection(psycopg.Connection[Any]):
        connect = staticmethod(wire.connect)  # type: ignore[assignment]  # the pool passes no more than it takes

    with ConnectionPool(
        connection_class=Connection,
        min_size=0,
        max_size=1,
        timeout=PATIENCE_S,
        reconnect_timeout=GIVES_UP_AFTER_S,
        reconnect_failed=config_pool.ask_again,
        open=False,
    ) as made:
        yield made


def test_it_reaches_postgres_for_those_who_wait_when_nobody_asks_anew(wire: _Wire, pool: ConnectionPool[Any]) -> None:
    got = Event()

    def wait_for_a_connection() -> None:
        with pool.connection():
            got.set()

    Thread(target=wait_for_a_connection, daemon=True).start()
    assert wire.tried_twice.wait(PATIENCE_S)
    wire.whole.set()

    assert got.wait(PATIENCE_S / 2)
