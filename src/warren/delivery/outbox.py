"""Accepting a job: its row and its message are written in one statement, in the caller's current transaction.

So a `.delay()` inside `transaction.atomic()` is sent if and only if the transaction commits, and a crash after the
commit loses nothing: the relay finds the message. Nothing here talks to RabbitMQ.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connection, connections, transaction

from warren.delivery import admission, job_ids, outbox_rows
from warren.delivery.outbox_rows import Row
from warren.delivery.states import State
from warren.metrics import recording

# How many rows `together` holds in memory, and writes at once; more gains nothing.
MOST_TOGETHER = 1000

# Jobs that go to the broker again, in states that the caller names; nothing changes for all others.
SEND_AGAIN = """
WITH job AS (
    UPDATE warren_job
    SET state = 'accepted', available_at = now(), queued_at = NULL, started_at = NULL, finished_at = NULL,
        result = NULL, traceback = '', progress = NULL
    WHERE id = ANY(%(ids)s) AND state = ANY(%(states)s) AND message <> ''
    RETURNING id, created_at
), message AS (
    INSERT INTO warren_outbox (job_id, available_at, failures, last_error)
    SELECT id, now(), 0, '' FROM job ORDER BY created_at
    ON CONFLICT (job_id) DO NOTHING
)
SELECT id, pg_notify(%(channel)s, '') FROM job
"""


class _Together:
    """The rows of one `together` that are not written yet. It belongs to one connection, and so to one thread."""

    def __init__(self) -> None:
        self._connection = connections[connection.alias]
        self._depth = len(connection.savepoint_ids)
        self._rows: list[Row] = []

    def takes(self) -> bool:
        """False in another thread, and in an inner `atomic`, whose rollback must take its jobs with it."""
        return self._connection is connections[connection.alias] and self._depth == len(connection.savepoint_ids)

    def add(self, row: Row) -> None:
        self._rows.append(row)
        if len(self._rows) >= MOST_TOGETHER:
            self.write()

    def write(self) -> None:
        rows, self._rows = self._rows, []
        if rows:
            _write(rows)


_together: ContextVar[_Together | None] = ContextVar("warren_outbox_together", default=None)


def add(
    body: tuple[Any, ...],
    *,
    exchange: str,
    routing_key: str,
    headers: Mapping[str, Any],
    properties: Mapping[str, Any],
    serializer: str,
    delay_s: float | None = None,
    expires_in_s: float | None = None,
) -> None:
    """Accept one task message in Celery's protocol 2: `body` is (args, kwargs, embed).

    The header `eta` becomes the time at which the relay publishes; no message waits inside a worker. `delay_s` and
    `expires_in_s`, counted by Postgres from now, stand over the headers `eta` and `expires`.
    Raises `UnsupportedSerializerError` for a serializer that does not write JSON, kombu's `EncodeError` for
    arguments that it cannot write, and for new work `QueueFullError` while too much waits and `BadJobIdError`; what
    follows from a job that was accepted keeps the id that its producer gave it.
    """
    row = outbox_rows.make(
        body,
        exchange=exchange,
        routing_key=routing_key,
        headers=headers,
        properties=properties,
        serializer=serializer,
        delay_s=delay_s,
        expires_in_s=expires_in_s,
    )
    if row["is_new"]:
        job_ids.refuse_bad(row["id"])
    collected = _together.get()
    if collected and collected.takes():
        collected.add(row)
    else:
        _write([row])


@contextmanager
def together() -> Iterator[None]:
    """Accept all jobs that are submitted in the block or none, in one statement at its end: many times as fast.

    The block is a transaction, so rows of yours that are written in it share the jobs' fate. An inner `together`
    joins the outer one. A job has its row only after the block: nothing in it can wait for a result.
    Raises at its end what Postgres says to the rows, and `QueueFullError`.
    """
    outer = _together.get()
    if outer and outer.takes():
        yield
        return
    with transaction.atomic():
        collected = _Together()
        token = _together.set(collected)
        try:
            yield
        finally:
            _together.reset(token)
        collected.write()


def send_again(job_ids: Iterable[str], *, states: Iterable[State]) -> list[str]:
    """Put jobs that are in one of these states back into the outbox, due now; returns the ids of those that were.

    A job whose message is still on its way may then be delivered twice; the claim lets one delivery run it.
    """
    with connection.cursor() as cursor:
        cursor.execute(SEND_AGAIN, {"ids": list(job_ids), "states": list(states), "channel": outbox_rows.CHANNEL})
        sent = [row[0] for row in cursor.fetchall()]
    recording.sent_again(len(sent))
    return sent


def _write(rows: list[Row]) -> None:
    new = Counter(row["queue"] for row in rows if row["is_new"])
    for queue, jobs in new.items():
        admission.admit(queue, jobs=jobs)
    outbox_rows.write(rows)
