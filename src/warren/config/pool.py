"""Keeps a pool of Postgres connections fit for use when Postgres has been away.

While it is away the pool tries for `reconnect_timeout`, gives up, and tries anew when the next task asks for a
connection. When all tasks wait for one already nobody asks, and the pool stands still, also after Postgres is back,
until the first of them has waited for too long (seen: five minutes, all 100 greenlets of worker-io): `ask_again`.

When it is back the pool still has the connections from before. It finds each broken when it is about to give it away,
and pauses after each, twice as long as before: with ten of them nobody works for minutes (seen too): `check`.

Owner: the pool, which calls these from whatever thread finds the need.
"""

import logging
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:  # only the images whose processes share connections have the package
    from psycopg_pool import ConnectionPool

# It is the asking that counts: this thread is one of those that must make the connection, so it cannot wait for it.
NO_TIME_S = 0.01

log = logging.getLogger(__name__)


def check(pool: "ConnectionPool[Any]", connection: psycopg.Connection[Any]) -> None:
    """Check a connection; if it is broken, the idle ones are too: make all anew. Raises `psycopg.OperationalError`."""
    try:
        pool.check_connection(connection)
    except psycopg.Error:
        pool.drain()
        raise


def ask_again(pool: "ConnectionPool[Any]") -> None:
    """Ask as a task does; given as `reconnect_failed`."""
    try:
        pool.putconn(pool.getconn(timeout=NO_TIME_S))
    except psycopg.OperationalError:  # the pool's own timeout is one
        log.info("pool %r goes on trying to reach Postgres", pool.name)
