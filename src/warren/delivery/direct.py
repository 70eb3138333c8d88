"""A connection to Postgres beside Django's: for what must not share a transaction, a pool or a thread with a task."""

from typing import Any

import psycopg
from django.db import connection

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
    }
