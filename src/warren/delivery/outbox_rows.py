"""The rows of an accepted job, its own and its message's, and the one statement that writes them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, TypedDict

from celery import current_task
from django.utils import timezone
from kombu.serialization import dumps

from warren.delivery import admission, prepared
from warren.delivery.envelope import Envelope
from warren.delivery.errors import UnsupportedSerializerError
from warren.delivery.ownership import HEADER, current_owner_id
from warren.delivery.states import State
from warren.metrics import recording
from warren.telemetry import carried

CHANNEL = "warren_outbox"
PERSISTENT = 2  # AMQP's delivery mode
JSON = "application/json"

_COLUMNS = {
    "id": "text",
    "task": "text",
    "queue": "text",
    "owner_id": "bigint",
    "priority": "smallint",
    "arguments": "text",
    "message": "text",
    "root_id": "text",
    "parent_id": "text",
    "group_id": "text",
    "available_at": "timestamptz",
    "expires_at": "timestamptz",
}
# seconds from now; where they are given, the moment of that name is not
_RELATIVE = {"available_at": "delay_s", "expires_at": "expires_in_s"}
_GIVEN = _COLUMNS | dict.fromkeys(_RELATIVE.values(), "float8") | {"attempt": "int"}

# The job: new, or, when a running attempt publishes its own id again (retry, replace), waiting for the next attempt.
# A job that is final or already waiting is left as it is, as is one that is at another attempt than the publisher, and
# then no message is written: the id was used before. A message may wait already: sent again, when an older one arrived.
# The notification is delivered at commit and wakes the relay.
_ADD = """
WITH job AS (
    INSERT INTO warren_job ({columns}, attempt, state, worker, traceback, created_at)
    {given}
    ON CONFLICT (id) DO UPDATE SET state = 'retrying', task = excluded.task, queue = excluded.queue,
                                   priority = excluded.priority, arguments = excluded.arguments,
                                   message = excluded.message, available_at = excluded.available_at, queued_at = NULL
        WHERE warren_job.state = 'running' AND excluded.attempt IN (0, warren_job.attempt)
    RETURNING id, available_at
), message AS (
    INSERT INTO warren_outbox (job_id, available_at, failures, last_error) SELECT id, available_at, 0, '' FROM job
    ON CONFLICT (job_id) DO UPDATE SET available_at = excluded.available_at
)
SELECT pg_notify('{channel}', '') FROM job LIMIT 1
"""


def _add(given: str) -> str:
    return _ADD.format(columns=", ".join(_COLUMNS), given=given, channel=CHANNEL)


def _row(value: str) -> str:
    values = {name: value.format(name) for name in _COLUMNS}
    for moment, seconds in _RELATIVE.items():
        values[moment] = f"coalesce({values[moment]}, clock_timestamp() + {value.format(seconds)} * interval '1s')"
    values["available_at"] = f"coalesce({values['available_at']}, now())"
    return f"{', '.join(values.values())}, {value.format('attempt')}, 'accepted', '', '', now()"


_ARRAYS = ", ".join(f"%({name})s::{kind}[]" for name, kind in _GIVEN.items())

_ADD_ONE = _add(f"VALUES ({_row('%({})s')})")
# an array for each column: measured at four times the speed of psycopg's executemany, a statement for each row
_ADD_MANY = _add(f"SELECT {_row('{}')} FROM unnest({_ARRAYS}) AS given ({', '.join(_GIVEN)})")  # noqa: S608  all ours


class Row(TypedDict):
    """One job to accept. `available_at` None is now; `is_new`: it follows from no job that was accepted before.

    `attempt` is the job's own that publishes its id again, else 0.
    """

    id: str
    task: str
    queue: str
    owner_id: int | None
    priority: int | None
    arguments: str
    message: str
    root_id: str
    parent_id: str
    group_id: str
    available_at: datetime | None
    expires_at: datetime | None
    delay_s: float | None
    expires_in_s: float | None
    attempt: int
    is_new: bool


def make(
    body: tuple[Any, ...],
    *,
    exchange: str,
    routing_key: str,
    headers: Mapping[str, Any],
    properties: Mapping[str, Any],
    serializer: str,
    delay_s: float | None,
    expires_in_s: float | None,
) -> Row:
    """The row of a task message; raises as `outbox.add` does."""
    args, kwargs, embed = body
    content_type, content_encoding, arguments = dumps([args, kwargs], serializer=serializer)
    if content_type != JSON:
        raise UnsupportedSerializerError(f"serializer {serializer!r} writes {content_type}; Warren's outbox takes JSON")
    owner_id = headers.get(HEADER) or current_owner_id()
    sent_as = {"content_type": content_type, "content_encoding": content_encoding, "delivery_mode": PERSISTENT}
    envelope = Envelope(
        exchange=exchange,
        routing_key=routing_key,
        headers={**headers, **carried.along(headers, queue=routing_key), "eta": None, HEADER: owner_id},
        properties={**properties, **sent_as},
        arguments=arguments,
        embed=dumps(embed, serializer=serializer)[2],
    )
    return {
        "id": headers["id"],
        "task": headers["task"],
        "queue": routing_key,
        "owner_id": owner_id,
        "priority": properties.get("priority"),
        "arguments": arguments,
        "message": envelope.to_json(),
        "root_id": headers.get("root_id") or "",
        "parent_id": headers.get("parent_id") or "",
        "group_id": headers.get("group") or "",
        "available_at": _moment(headers.get("eta")) if delay_s is None else None,
        "expires_at": _moment(headers.get("expires")) if expires_in_s is None else None,
        "delay_s": delay_s,
        "expires_in_s": expires_in_s,
        "attempt": _attempt_of(headers["id"]),
        "is_new": admission.is_new(headers),
    }


def write(rows: Sequence[Row]) -> None:
    """Insert these jobs and their messages, all or none. Of rows with the same id the first counts."""
    parameters: dict[str, Any]
    if len(rows) == 1:
        statement, parameters = _ADD_ONE, {**rows[0]}
    else:
        # one statement may not touch a row twice
        distinct: dict[str, dict[str, Any]] = {}
        for row in rows:
            distinct.setdefault(row["id"], {**row})
        statement = _ADD_MANY
        parameters = {name: [row[name] for row in distinct.values()] for name in _GIVEN}
    with prepared.cursor() as cursor:
        cursor.execute(statement, parameters)
        if cursor.rowcount:  # none of jobs that were there already
            for state, these in groupby(rows, key=lambda row: State.RETRYING if row["attempt"] else State.ACCEPTED):
                recording.changed(((row["task"], row["queue"]) for row in these), state=state)


def _attempt_of(job_id: str) -> int:
    """The attempt that runs here and now, if it publishes its own job; else 0."""
    request = current_task.request if current_task else None
    return int(getattr(request, "job_attempt", None) or 0) if request and request.id == job_id else 0


def _moment(header: str | None) -> datetime | None:
    if header is None:
        return None
    moment = datetime.fromisoformat(header)
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
