import os
import subprocess
import sys
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg_pool import ConnectionPool
from pytest_django import DjangoDbBlocker

from warren.config import pool as config_pool
from warren.config.postgres.base import DatabaseWrapper

GIVES_UP_AFTER_S = 0.1
PATIENCE_S = 10.0
# gevent patches the whole process
_KILL_ONE_THAT_WAITS = """
from gevent import monkey
monkey.patch_all()
import gevent, os
from psycopg_pool import ConnectionPool
from warren.config.postgres import base

with ConnectionPool(os.environ["CONNINFO"], min_size=1, max_size=1, timeout=5) as pool:
    held = pool.getconn()
    waits = gevent.spawn(pool.getconn)
    gevent.sleep(0.1)
    waits.kill()
    pool.putconn(held)
    pool.putconn(pool.getconn())
"""
POOL_SIZE = 8  # one after the other, with psycopg's pauses, they would take more than a minute


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
def pooled(django_db_blocker: DjangoDbBlocker) -> Iterator[DatabaseWrapper]:
    options = {**connection.settings_dict["OPTIONS"], "pool": {"min_size": POOL_SIZE, "max_size": POOL_SIZE}}
    settings = {**connection.settings_dict, "NAME": "postgres", "CONN_MAX_AGE": 0, "OPTIONS": options}
    made = DatabaseWrapper(settings, alias="pooled")
    with django_db_blocker.unblock():
        made.pool.open()
        yield made
        made.close_pool()


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


def test_it_gives_a_working_connection_at_once_when_all_were_broken(pooled: DatabaseWrapper) -> None:
    taken = [pooled.pool.getconn() for _ in range(POOL_SIZE)]
    for each in taken:
        pooled.pool.putconn(each)
    for each in taken:
        connection.cursor().execute("SELECT pg_terminate_backend(%s)", [each.info.backend_pid])

    with pooled.pool.connection(timeout=PATIENCE_S) as given:
        (answer,) = given.execute("SELECT 1").fetchone()

    assert answer == 1


def test_it_gives_no_connection_to_a_greenlet_that_was_killed_while_it_waited_for_one() -> None:
    environment = {**os.environ, "CONNINFO": psycopg.conninfo.make_conninfo(**_parameters())}
    command = [sys.executable, "-c", _KILL_ONE_THAT_WAITS]

    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)  # noqa: S603  the code above

    assert done.returncode == 0, done.stderr
