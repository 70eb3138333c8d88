"""What happened to jobs out of the ordinary. Nothing is written on the way from accepted to succeeded: it must be fast.

Recorded in the transaction that does the thing, so it is there if and only if it happened.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from warren.delivery.models import JobEvent

type Kind = JobEvent.Kind

RETRIED, CANCELLED, DEAD = JobEvent.Kind.RETRIED, JobEvent.Kind.CANCELLED, JobEvent.Kind.DEAD
LOST, ATTEMPT_FAILED = JobEvent.Kind.LOST, JobEvent.Kind.ATTEMPT_FAILED
CLONED = JobEvent.Kind.CLONED

# One statement for any number of jobs; what the jobs' rows say at this moment is kept with the event.
_RECORD = """
INSERT INTO warren_job_event (job_id, at, kind, actor_id, actor_label, reason, attempt, worker, state, started_at,
                              finished_at, result, traceback)
SELECT id, clock_timestamp(), %(kind)s, %(actor_id)s, %(actor_label)s, %(reason)s, attempt, worker, state, started_at,
       finished_at, result, traceback
FROM warren_job WHERE id = ANY(%(ids)s)
ORDER BY id
"""


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who did it: a user, or in words, such as "command line (ann)": what, and a name for the staff to see.

    Neither is Warren itself.
    """

    user_id: int | None = None
    label: str = ""


WARREN = Actor()


def record(job_ids: Iterable[str], *, kind: Kind, by: Actor = WARREN, reason: str = "") -> None:
    """Note this of each job, with its row's attempt, worker, state, result and traceback as they are now.

    So call it before a change that wipes them, and after one that they should show. Unknown ids are passed over.
    """
    row = {
        "ids": list(job_ids),
        "kind": kind,
        "actor_id": by.user_id,
        "actor_label": by.label,
        "reason": reason.replace("\x00", ""),  # Postgres takes no NUL in a text
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, row)
