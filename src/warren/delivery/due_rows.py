"""What a pass of the relay does with the outbox, all in its transaction."""

import logging
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.db.models.functions import Now

from warren.delivery import expiry, prepared
from warren.delivery.models import OutboxMessage
from warren.telemetry.tracing import Sent

BATCH = 500  # a pass holds its locks for about as many tenths of a millisecond
ROW_BACK_OFF_S = 10  # a refused message does not stop the others; it is tried again after this

# A retry is known as such until its next attempt starts. The jobs come in the order in which a claim takes them, or the
# two might wait for each other: workers claim what is published before this runs.
_CLOSE = """
WITH gone AS (DELETE FROM warren_outbox WHERE id = ANY(%(gone)s::bigint[]))
UPDATE warren_job AS job
SET state = CASE job.state WHEN 'accepted' THEN 'queued' ELSE job.state END, queued_at = now()
FROM unnest(%(queued)s::text[]) AS sent(id)
WHERE job.id = sent.id AND job.state IN ('accepted', 'retrying')
"""

log = logging.getLogger(__name__)


def lock_soon_due(*, within_s: float) -> list[Any]:
    """Lock what is due now or soon and no other relay holds, at most `BATCH` rows; `now` is Postgres' time."""
    rows = OutboxMessage.objects.select_related("job").select_for_update(skip_locked=True, of=("self",))
    soon = rows.annotate(now=Now()).filter(available_at__lte=Now() + timedelta(seconds=within_s))
    return list(soon.order_by("available_at", "id")[:BATCH])


def until_next(rows: list[Any], due: list[Any], *, longest_s: float) -> float:
    """Seconds until there may be more to do, without news of new rows."""
    if len(rows) > len(due):
        following = rows[len(due)]
        return float((following.available_at - following.now).total_seconds())
    return 0.0 if len(rows) == BATCH else longest_s


def settle_unwanted(due: list[Any]) -> tuple[set[str], dict[int, str]]:
    """Jobs among these that need no message any more: those past their expiry become expired here.

    Beside them the messages of those that could not be ended: primary key → reason.
    """
    overdue = {row.job_id: row.pk for row in due if row.job.expires_at and row.job.expires_at <= row.now}
    failed = expiry.settle(overdue) if overdue else {}
    unwanted = {*overdue, *(row.job_id for row in due if row.job.is_final)} - failed.keys()
    return unwanted, {overdue[job_id]: f"its job cannot be ended: {error!r}" for job_id, error in failed.items()}


def as_sent(messages: list[Any], refused: dict[int, str]) -> list[Sent]:
    """What was published, for the traces. What is no message has none."""
    return [
        Sent(
            headers=headers,
            queue=message.job.queue,
            job_id=message.job_id,
            message_id=str(message.pk),
            refused=refused.get(message.pk),
        )
        for message in messages
        if (headers := message.job.headers)
    ]


def close(gone: list[Any], *, queued: list[str]) -> None:
    """Delete the rows, and mark the jobs that the broker has."""
    with prepared.cursor() as cursor:
        cursor.execute(_CLOSE, {"gone": [row.pk for row in gone], "queued": sorted(queued)})


def note(refused: dict[int, str]) -> None:
    """Keep these rows for later, with the reason."""
    for pk, reason in refused.items():
        log.error("message %s was refused: %s", pk, reason)
        OutboxMessage.objects.filter(pk=pk).update(
            failures=F("failures") + 1,
            last_error=reason,
            available_at=Now() + timedelta(seconds=ROW_BACK_OFF_S),
        )
