"""Messages from Celery producers that are not Warren's: they have no job, and get one when their body is to run.

Its row keeps the message, made anew from the request, so that from then on the job is like any other: sent again when
its worker is gone or the broker has lost it, retried by hand, ended with its chain and chord told.

    the message comes twice    the first to insert the row has it; for the others it is a job that runs
    lost before it is adopted  Warren has never heard of it
"""

import json
from typing import TYPE_CHECKING, Any

from django.db import connection

from warren.delivery import arrival, leases, outbox_rows
from warren.metrics import recording

if TYPE_CHECKING:  # which claims its job through `claim.py`
    from warren.delivery.task import JobTask

# Celery's protocol 2: https://docs.celeryq.dev/en/stable/internals/protocol.html
HEADERS = (
    "lang",
    "shadow",
    "expires",
    "group",
    "group_index",
    "retries",
    "timelimit",
    "root_id",
    "parent_id",
    "argsrepr",
    "kwargsrepr",
    "origin",
    "ignore_result",
    "replaced_task_nesting",
    "stamped_headers",
    "stamps",
)
EMBED = ("callbacks", "errbacks", "chain", "chord")
PROPERTIES = ("correlation_id", "reply_to")
OF_THE_BROKER = ("x-death", "x-first-death-", "x-last-death-", "x-delivery-count", "x-acquired-count")

_ADOPT = """
INSERT INTO warren_job (id, task, queue, priority, state, attempt, losses, worker, lease, message_id, arguments,
                        message, traceback, root_id, parent_id, group_id, expires_at, started_at)
VALUES (%(id)s, %(task)s, %(queue)s, %(priority)s, 'running', 1, 0, %(worker)s, %(lease)s, %(message_id)s,
        %(arguments)s, %(message)s, '', %(root_id)s, %(parent_id)s, %(group_id)s, %(expires_at)s, now())
ON CONFLICT (id) DO NOTHING
RETURNING attempt
"""


def adopt(task: "JobTask") -> bool:
    """Make the job of the running request, at its first attempt; False if there is one already."""
    request = task.request
    row: dict[str, Any] = {
        **_row(task),
        "worker": request.hostname or "",
        "lease": leases.current,
        "message_id": arrival.of(vars(request)).message_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ADOPT, row)
        adopted = cursor.fetchone() is not None
    if adopted:
        recording.claimed([(row["task"], row["queue"], None)])
    return adopted


def _row(task: "JobTask") -> outbox_rows.Row:
    request: Any = task.request
    delivery_info = request.delivery_info or {}
    priority = delivery_info.get("priority")
    return outbox_rows.make(
        (request.args, request.kwargs, _those(request, EMBED)),
        exchange=delivery_info.get("exchange") or "",
        routing_key=delivery_info.get("routing_key") or "",
        headers={**_custom(request), **_those(request, HEADERS), "id": request.id, "task": task.name},
        properties=_those(request, PROPERTIES) | ({} if priority is None else {"priority": priority}),
        serializer="json",
        delay_s=None,
        expires_in_s=None,
    )


def _custom(request: Any) -> dict[str, Any]:
    """What else the producer put into the headers, for the task to read; AMQP knows types that JSON does not."""
    headers = (request.headers or {}).items()
    return {name: value for name, value in headers if not name.startswith(OF_THE_BROKER) and _is_json(value)}


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value)
    except TypeError:
        return False
    return True


def _those(request: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: vars(request)[name] for name in names if name in vars(request)}
