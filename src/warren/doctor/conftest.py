"""What the doctor's tests share: sockets that nobody answers at, and the proof that no session is left behind."""

import socket
import time
from collections.abc import Iterator

import pytest
from django.db import connection

WITHIN_S = 10
_SESSIONS = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'warren-doctor' AND datname = current_database()"
)


@pytest.fixture
def database(transactional_db: None) -> Iterator[None]:  # noqa: ARG001  brings the database
    """What is committed, which the doctor sees. No session of it outlives a test, or the database could not go."""
    yield
    deadline = time.monotonic() + WITHIN_S
    while (left := _sessions()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left, f"{left} sessions are left"


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port of this machine at which connections are taken, and nobody speaks: a service that is frozen."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield int(silent.getsockname()[1])


def _sessions() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_SESSIONS)
        return int(cursor.fetchone()[0])
