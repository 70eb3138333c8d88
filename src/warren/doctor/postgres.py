"""How the doctor asks Postgres: over connections of its own, each question bounded."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection

from warren.delivery import direct

CONNECT_S = 3  # less than a check may take, so that it is Postgres that is said not to answer
STATEMENT_MS = 4_000


@contextmanager
def asked() -> Iterator[psycopg.Connection[Any]]:
    """A connection with autocommit, closed after the block. Raises `psycopg.Error`."""
    with psycopg.connect(
        **direct.address("doctor"),
        connect_timeout=CONNECT_S,
        options=f"-c statement_timeout={STATEMENT_MS}",
        autocommit=True,
    ) as own:
        yield own


@contextmanager
def models() -> Iterator[None]:
    """For the block, Django's models and migrations in this thread ask over a connection of their own."""
    with direct.orm("doctor"):
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = {STATEMENT_MS}")
        yield
