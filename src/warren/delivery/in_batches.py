"""Deletes many rows a few at a time, so that nobody waits long for one of them.

Each batch is a transaction of its own. Rows that somebody has locked are left for the next time, and so is what is
left when the time is over: who deletes by a schedule comes again.

    killed in the middle    the batches before are done, the one that it was at is not
    two delete at once      each row is locked by one of them; the other passes over it
"""

import time
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

BATCH = 500  # rows; a few dozen milliseconds, with what hangs on them
LONGEST_S = 300.0  # well under a task's time limit


def delete(rows: QuerySet[Any], *, within_s: float = LONGEST_S) -> int:
    """Delete what the query finds, in its order, with all that cascades; returns how many rows of its own it were."""
    return repeat(lambda: _delete_batch(rows), within_s=within_s)


def repeat(step: Callable[[], int], *, within_s: float = LONGEST_S) -> int:
    """Call until a step has done less than a `BATCH`, or the time is over; returns how many all steps have done."""
    ends_at = time.monotonic() + within_s
    total = done = step()
    while done >= BATCH and time.monotonic() < ends_at:
        done = step()
        total += done
    return total


def call(statement: str) -> int:
    """Run a statement that does as many as its one parameter says, and gives the number that it did."""
    with connection.cursor() as cursor:
        cursor.execute(statement, [BATCH])
        return int(cursor.fetchone()[0])


@transaction.atomic
def _delete_batch(rows: QuerySet[Any]) -> int:
    ids = list(rows.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:BATCH])
    # the key alone: Django reads what it deletes, and a job's result may be a megabyte
    rows.model._default_manager.filter(pk__in=ids).only("pk").delete()  # noqa: SLF001  Django's name for it
    return len(ids)
