"""Taking a job before its body runs.

One UPDATE moves the job to running and counts the attempt; whoever's UPDATE matched runs the body, everyone else has a
duplicate and drops it. The attempt number is the fencing token: a result is stored only while it is still the
current one (`results.py`).

    worker dies before the claim   the message is delivered again; the claim then matches
    worker dies after the claim    the message is delivered again, marked redelivered; only then may a claim take a job
                                   that is already running
    job is final                   cancelled, or done by another delivery: dropped, acked
    no row                         published by a producer that is not Warren's: adopted
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from celery.exceptions import Ignore, Reject
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from warren.delivery.errors import DatabaseUnreachableError

if TYPE_CHECKING:  # which claims its job through this module
    from warren.delivery.task import JobTask

# A restarted Postgres answers again within seconds; a claim that waits longer than this gives the message back.
DATABASE_PATIENCE_S = 60.0
DATABASE_RETRY_S = 0.5

_TAKE = """
UPDATE warren_job
SET state = 'running', attempt = attempt + 1, worker = %(worker)s, started_at = now(), progress = NULL
WHERE id = %(id)s
  AND (state IN ('accepted', 'queued', 'retrying') OR (state = 'running' AND %(redelivered)s))
RETURNING attempt
"""

_ADOPT = """
INSERT INTO warren_job (id, task, queue, state, attempt, worker, arguments, message, traceback, root_id, parent_id,
                        group_id, started_at)
VALUES (%(id)s, %(task)s, %(queue)s, 'running', 1, %(worker)s, %(arguments)s, '', '', %(root_id)s, %(parent_id)s,
        %(group_id)s, now())
ON CONFLICT (id) DO NOTHING
RETURNING attempt
"""


def take(task: "JobTask") -> int:
    """Claim the job of the running request; returns the number of this attempt.

    Raises `Ignore` for a duplicate, and `Reject`, which gives the message back, when Postgres stays away.
    """
    try:
        attempt = patiently(lambda: _claim(task))
    except DatabaseUnreachableError as exc:
        raise Reject(exc, requeue=True) from exc
    _give_back_pooled_connection()
    return attempt


def patiently[T](step: Callable[[], T]) -> T:
    """Do the step, again and again while Postgres is away. Raises `DatabaseUnreachableError` after a minute.

    Inside a transaction it is tried once: only the whole transaction can be tried again.
    """
    if connection.in_atomic_block:
        return step()
    deadline = time.monotonic() + DATABASE_PATIENCE_S
    while True:
        try:
            return step()
        except (OperationalError, InterfaceError) as exc:
            connection.close()
            if time.monotonic() > deadline:
                raise DatabaseUnreachableError from exc
            time.sleep(DATABASE_RETRY_S)


def _claim(task: "JobTask") -> int:
    request = task.request
    delivery = request.delivery_info or {}
    row = {
        "id": request.id,
        "worker": request.hostname or "",
        "redelivered": bool(delivery.get("redelivered")),
        "task": task.name,
        "queue": delivery.get("routing_key") or "",
        "arguments": task.backend.encode((request.args, request.kwargs)),
        "root_id": request.root_id or "",
        "parent_id": request.parent_id or "",
        "group_id": request.group or "",
    }
    with connection.cursor() as cursor:
        for statement in (_TAKE, _ADOPT):
            cursor.execute(statement, row)
            if taken := cursor.fetchone():
                return int(taken[0])
    raise Ignore(f"job {request.id} is final or runs elsewhere")


def _give_back_pooled_connection() -> None:
    """Hand the connection back before the body waits on a network: with a pool, others need it meanwhile."""
    if settings.DATABASES["default"].get("OPTIONS", {}).get("pool") and not connection.in_atomic_block:
        connection.close()
