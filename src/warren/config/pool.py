"""Keeps a pool of Postgres connections trying.

States of the pool while Postgres is away: it tries for `reconnect_timeout`, gives up, and tries anew when the next task
asks for a connection. When all tasks wait for one already nobody asks, and the pool stands still, also after Postgres
is back, until the first of them has waited for too long (seen: five minutes, all 100 greenlets of worker-io).

Owner: the pool calls `ask_again` from one of its own threads, each time it has given up.
"""

import logging
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:  # only the images whose processes share connections have the package
    from psycopg_pool import ConnectionPool

# It is the asking that counts: this thread is one of those that must make the connection, so it cannot wait for it.
NO_TIME_S = 0.01

log = logging.getLogger(__name__)


def ask_again(pool: "ConnectionPool[Any]") -> None:
    """Ask as a task does; given as `reconnect_failed`."""
    try:
        pool.putconn(pool.getconn(timeout=NO_TIME_S))
    except psycopg.OperationalError:  # the pool's own timeout is one
        log.info("pool %r goes on trying to reach Postgres", pool.name)
