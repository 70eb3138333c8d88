"""Makes true in a database that comes from a backup what its rows say of a world that is gone.

The rows are those of one moment, the backup's. Since then workers have ended, the broker has given out, lost and got
messages, and what ran then has run on, in another timeline. Numbers that were given after that moment are given again.

    running then            no worker has it: it is sent again, as the next attempt. That is no loss (`losses.py`)
    with the broker then    sent again: what the broker holds by now is of the other timeline, and is thrown away
    waiting in the outbox   is there still
    replaced, or final      stays as it is
    leases                  end: whoever held one was in the other timeline

What needs nothing: sequences, which a dump holds; beat's leader and the mark in the broker, which are looked at anew.

Jobs that ended after the backup run again: across a restore every job is run at least once. The effects of a
transactional task are in the same database, so they are gone or there together with the job's success.

    it dies meanwhile      one transaction: nothing is changed; run it again
    it is run twice        the second time there is nothing to do
    a worker is alive      it would lose its jobs to others: refused before anything is changed
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import batched

from django.db import connection, transaction
from django.db.models import QuerySet

from warren.delivery import history, outbox, outcomes
from warren.delivery.errors import WorkersAliveError
from warren.delivery.models import Job, Worker
from warren.delivery.reconciler import GIVEN
from warren.delivery.states import State, in_states

BATCH = 1000  # jobs a statement
REASON = "it ran when the backup was taken that this database was restored from"

# A worker that lives has a connection for its lease, to this very database; a lease alone may be the backup's.
_ALIVE = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'warren-lease'
"""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What was done: how many leases ended, and how many jobs of which kind are sent again."""

    leases: int
    running: int
    given: int


def prepare() -> Prepared:
    """End the leases and give every job back to the outbox that nobody has. Raises `WorkersAliveError`.

    1. refuse while a worker is connected
    2. send again what ran, and note it in the jobs' history
    3. send again what the broker had
    4. delete the leases
    """
    with transaction.atomic():
        _refuse_while_workers_live()
        ran = Job.objects.filter(in_states(State.RUNNING)).exclude(lease=outcomes.REPLACED)
        running = _send_again(_ids(ran.order_by("started_at")), states=(State.RUNNING,), reason=REASON)
        # what is retrying and has no `queued_at` waits in the outbox
        had = Job.objects.filter(in_states(*GIVEN), queued_at__isnull=False)
        given = _send_again(_ids(had.order_by("queued_at", "created_at")), states=GIVEN)
        leases, _ = Worker.objects.all().delete()
    return Prepared(leases=leases, running=running, given=given)


def _refuse_while_workers_live() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_ALIVE)
        (alive,) = cursor.fetchone()
    if alive:
        names = Worker.objects.order_by("-seen_at").values_list("name", flat=True)[:alive]
        raise WorkersAliveError(f"{alive} workers use this database, of {', '.join(names)}: stop them first")


def _ids(jobs: QuerySet[Job]) -> Iterator[str]:
    """As they are now, whatever becomes of the rows meanwhile; and not all of them in memory."""
    return jobs.values_list("pk", flat=True).iterator(chunk_size=BATCH)


def _send_again(job_ids: Iterable[str], *, states: Iterable[State], reason: str = "") -> int:
    count = 0
    for batch in batched(job_ids, BATCH, strict=False):
        if reason:
            history.record(batch, kind=history.LOST, reason=reason)
        count += len(outbox.send_again(batch, states=states))
    return count
