"""A connection to Postgres beside Django's: for what must not share a transaction, a pool or a thread with a task."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections

CONNECT_TIMEOUT_S = 5
# How long Postgres may leave what we sent unacknowledged; a cut network is else noticed after a quarter of an hour.
UNANSWERED_MS = 10_000


def connect(purpose: str) -> psycopg.Connection[tuple[Any, ...]]:
    """Open a connection with autocommit, known to Postgres as `warren-<purpose>`. Raises `psycopg.Error`."""
    return psycopg.connect(
        **address(purpose),
        connect_timeout=CONNECT_TIMEOUT_S,
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
        tcp_user_timeout=UNANSWERED_MS,
        autocommit=True,
    )


@contextmanager
def orm(purpose: str) -> Iterator[None]:
    """For the block, let Django's models in this thread use a connection of its own, which it opens when it needs it.

    For a native thread beside greenlets: one that asked their pool would wait for a greenlet to give it a connection.
    """
    shared = connections[DEFAULT_DB_ALIAS]
    settings = shared.settings_dict
    options = {name: value for name, value in settings["OPTIONS"].items() if name != "pool"}
    options["application_name"] = f"warren-{purpose}"
    own = type(shared)({**settings, "OPTIONS": options}, DEFAULT_DB_ALIAS)
    connections[DEFAULT_DB_ALIAS] = own
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = shared
        own.close()


def address(purpose: str) -> dict[str, Any]:
    """Where Django's Postgres is, and who asks, as psycopg takes it."""
    settings = connection.settings_dict
    return {
        "host": settings["HOST"],
        "port": settings["PORT"],
        "dbname": settings["NAME"],
        "user": settings["USER"],
        "password": settings["PASSWORD"],
        "application_name": f"warren-{purpose}",
        **{name: value for name, value in settings["OPTIONS"].items() if name.startswith("ssl")},
    }
