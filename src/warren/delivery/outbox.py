"""Accepting a job: its row and its message are written in one statement, in the caller's current transaction.

So a `.delay()` inside `transaction.atomic()` is sent if and only if the transaction commits, and a crash after the
commit loses nothing: the relay finds the message. Nothing here talks to RabbitMQ.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone
from kombu.serialization import dumps

from warren.delivery.envelope import Envelope
from warren.delivery.errors import UnsupportedSerializerError
from warren.delivery.ownership import HEADER, current_owner_id
from warren.delivery.states import State

CHANNEL = "warren_outbox"
PERSISTENT = 2  # AMQP's delivery mode

# The job: new, or, when a running attempt publishes its own id again (retry, replace), waiting for the next attempt.
# A job that is final or already waiting is left as it is, and then no message is written: the id was used before.
# The notification is delivered at commit and wakes the relay.
_ADD = """
WITH job AS (
    INSERT INTO warren_job (id, task, queue, owner_id, state, attempt, worker, priority, arguments, message, traceback,
                            root_id, parent_id, group_id, created_at, available_at, expires_at)
    VALUES (%(id)s, %(task)s, %(queue)s, %(owner_id)s, 'accepted', 0, '', %(priority)s, %(arguments)s, %(message)s, '',
            %(root_id)s, %(parent_id)s, %(group_id)s, now(), coalesce(%(available_at)s, now()), %(expires_at)s)
    ON CONFLICT (id) DO UPDATE SET state = 'retrying', task = excluded.task, queue = excluded.queue,
                                   arguments = excluded.arguments, message = excluded.message,
                                   available_at = excluded.available_at, queued_at = NULL
        WHERE warren_job.state = 'running'
    RETURNING id, available_at
), message AS (
    INSERT INTO warren_outbox (job_id, available_at, failures, last_error) SELECT id, available_at, 0, '' FROM job
)
SELECT pg_notify(%(channel)s, '') FROM job
"""

# Jobs that go to the broker again, in states that the caller names; nothing changes for all others.
_SEND_AGAIN = """
WITH job AS (
    UPDATE warren_job
    SET state = 'accepted', available_at = now(), queued_at = NULL, started_at = NULL, finished_at = NULL,
        result = NULL, traceback = '', progress = NULL
    WHERE id = ANY(%(ids)s) AND state = ANY(%(states)s) AND message <> ''
    RETURNING id
), message AS (
    INSERT INTO warren_outbox (job_id, available_at, failures, last_error) SELECT id, now(), 0, '' FROM job
    ON CONFLICT (job_id) DO NOTHING
)
SELECT id, pg_notify(%(channel)s, '') FROM job
"""


def add(
    body: tuple[Any, ...],
    *,
    exchange: str,
    routing_key: str,
    headers: Mapping[str, Any],
    properties: Mapping[str, Any],
    serializer: str,
) -> None:
    """Accept one task message in Celery's protocol 2: `body` is (args, kwargs, embed).

    The header `eta` becomes the time at which the relay publishes; no message waits inside a worker.
    Raises `UnsupportedSerializerError` for a serializer whose output is not text, and kombu's `EncodeError` for
    arguments that it cannot write.
    """
    content_type, content_encoding, data = dumps(body, serializer=serializer)
    if not isinstance(data, str):
        raise UnsupportedSerializerError(f"serializer {serializer!r} writes bytes; Warren's outbox takes 'json'")
    owner_id = headers.get(HEADER) or current_owner_id()
    envelope = Envelope(
        exchange=exchange,
        routing_key=routing_key,
        headers={**headers, "eta": None, HEADER: owner_id},
        properties={
            **properties,
            "content_type": content_type,
            "content_encoding": content_encoding,
            "delivery_mode": PERSISTENT,
        },
        body=data,
    )
    message, arguments = envelope.to_json()
    row = {
        "id": headers["id"],
        "task": headers["task"],
        "queue": routing_key,
        "owner_id": owner_id,
        "priority": properties.get("priority"),
        "arguments": arguments,
        "message": message,
        "root_id": headers.get("root_id") or "",
        "parent_id": headers.get("parent_id") or "",
        "group_id": headers.get("group") or "",
        "available_at": _moment(headers.get("eta")),
        "expires_at": _moment(headers.get("expires")),
        "channel": CHANNEL,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ADD, row)


def send_again(job_ids: Iterable[str], *, states: Iterable[State]) -> list[str]:
    """Put jobs that are in one of these states back into the outbox, due now; returns the ids of those that were.

    A job whose message is still on its way may then be delivered twice; the claim lets one delivery run it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SEND_AGAIN, {"ids": list(job_ids), "states": list(states), "channel": CHANNEL})
        return [row[0] for row in cursor.fetchall()]


def _moment(header: str | None) -> datetime | None:
    if header is None:
        return None
    moment = datetime.fromisoformat(header)
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
