"""What a worker asks of Postgres about its lease and the jobs under it, over a connection that is its own."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from warren.delivery import outbox, outbox_rows
from warren.delivery.states import State

STRAY_S = 15

type Connection = psycopg.Connection[tuple[Any, ...]]

_RENEW = """
INSERT INTO warren_worker (id, name, pool, concurrency, queues, started_at, seen_at)
VALUES (%(id)s, %(name)s, %(pool)s, %(concurrency)s, %(queues)s, now(), now())
ON CONFLICT (id) DO UPDATE SET seen_at = now()
"""

# Jobs of this worker wait again as if never started; their messages come back when the connection to the broker ends.
_GIVE_UP = """
WITH given_up AS (
    UPDATE warren_job SET state = 'queued', lease = NULL, queued_at = now()
    WHERE finished_at IS NULL AND state = 'running' AND lease = %(id)s
)
DELETE FROM warren_worker WHERE id = %(id)s
"""

# Jobs of this worker that it does not run: their attempt ended with the connection to a broker that has lost the
# message too. A job that has just been claimed may not have been told of yet.
_STRAYS = """
SELECT id FROM warren_job
WHERE finished_at IS NULL AND queue = ANY(%(queues)s) AND state = 'running' AND lease = %(id)s
  AND id <> ALL(%(running)s) AND started_at < now() - %(stray_s)s * interval '1s'
"""

_CANCELLED = "SELECT id FROM warren_job WHERE id = ANY(%s) AND state = 'cancelled'"


def renew(connection: Connection, worker: Mapping[str, Any]) -> None:
    """Say that the worker, a row of `warren_worker`, lives."""
    connection.execute(_RENEW, worker)


def give_up(connection: Connection, worker: Mapping[str, Any]) -> None:
    """End the lease, and let its jobs go."""
    connection.execute(_GIVE_UP, worker)


def cancelled(connection: Connection, running: Sequence[str]) -> list[str]:
    """Which of these jobs were cancelled."""
    if not running:
        return []
    return [job_id for (job_id,) in connection.execute(_CANCELLED, [running]).fetchall()]


def send_strays_again(connection: Connection, worker: Mapping[str, Any], *, running: Sequence[str]) -> list[str]:
    """Send again what the worker holds and does not run; returns the ids."""
    held = {"id": worker["id"], "queues": worker["queues"].split(","), "running": running, "stray_s": STRAY_S}
    strays = [job_id for (job_id,) in connection.execute(_STRAYS, held).fetchall()]
    if strays:
        again = {"ids": strays, "states": [State.RUNNING], "channel": outbox_rows.CHANNEL}
        connection.execute(outbox.SEND_AGAIN, again)
    return strays
