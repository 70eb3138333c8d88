"""Finds jobs that nobody works on any more, and sends them again.

Two ways in which a job is forgotten:
    its worker is gone     it runs, but its worker's lease has expired (`leases.py`): a loss is counted (`losses.py`)
    the broker lost it     its message was published LOST_AFTER before the one that is next in its queue, so it cannot
                           wait there any more; or the queue is empty, and it was published so long ago

Wrong guesses are harmless: the claim lets one delivery run. They are few, too: a job that was sent again is the
youngest of its queue, and is not guessed at again before the queue has come to that message.

    fetched ahead by a worker that lives      sent twice, if the queue went on by LOST_AFTER meanwhile
    given back to the queue out of order      as Redis does with what a worker refuses without Postgres: sent twice
    an older message of a job is next         it tells when it was published itself, so nobody else is thought lost
    the broker cannot tell                    asked again by the next run. The next message is not a job's; or RabbitMQ
                                              has some, but it gives to others what a dead worker had
    queue wiped, or broker without its disk   every waiting job is found once the queue exists again and is empty
    another relay reconciles                  one at a time: whoever gets the lock
    relay dies                                nothing is half done: one transaction
    Postgres was away                         its workers could not renew their leases; the relay reconciles only when
                                              they have had the time to (`relay.py`)
"""

import logging
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q

from warren.delivery import leases, losses, outbox, outcomes
from warren.delivery.models import Job, Worker
from warren.delivery.publisher import WaitingSince
from warren.delivery.states import State, in_states
from warren.delivery.topology import HIGHEST_NORMAL_PRIORITY

LOST_AFTER = timedelta(seconds=60)
BATCH = 1000
GIVEN = (State.QUEUED, State.RETRYING)  # states of a job whose message is with the broker, if `queued_at` is set

# Rows of workers that stopped without saying so are kept for a look at what happened.
FORGET_WORKERS_AFTER = timedelta(days=1)

# A job that has only just started may run under a lease that is not written yet.
_ORPHANS = """
SELECT job.id FROM warren_job AS job
WHERE job.finished_at IS NULL AND job.state = 'running' AND job.message <> ''
  AND job.started_at < now() - %(lease_s)s * interval '1s'
  AND job.lease IS DISTINCT FROM %(replaced)s
  AND NOT EXISTS (SELECT FROM warren_worker AS holder
                  WHERE holder.id = job.lease AND holder.seen_at > now() - %(lease_s)s * interval '1s')
LIMIT %(batch)s
FOR UPDATE SKIP LOCKED
"""

# Urgent messages overtake the others, so each kind has an order of its own.
_URGENT = Q(priority__isnull=False, priority__gt=HIGHEST_NORMAL_PRIORITY)

_ONE_AT_A_TIME = 7_237_001  # any number, the same in every relay

log = logging.getLogger(__name__)


def run(waiting_since: WaitingSince, *, now: datetime) -> list[str]:
    """Send forgotten jobs again; returns their ids."""
    with transaction.atomic():
        if not _is_our_turn():
            return []
        Worker.objects.filter(seen_at__lt=now - FORGET_WORKERS_AFTER).delete()
        return _send_orphans_again() + _send_lost_again(waiting_since, now=now)


def _send_orphans_again() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_ORPHANS, {"lease_s": leases.LEASE_S, "replaced": outcomes.REPLACED, "batch": BATCH})
        orphans = [row[0] for row in cursor.fetchall()]
    for job in Job.objects.filter(pk__in=orphans):
        losses.try_to_count(job, reason=f"worker {job.worker} is gone")  # if it fails, the next run finds the job again
    return orphans


def _send_lost_again(waiting_since: WaitingSince, *, now: datetime) -> list[str]:
    overdue = Job.objects.filter(in_states(*GIVEN), queued_at__lt=now - LOST_AFTER).annotate(urgent=_URGENT)
    lost: list[str] = []
    for queue, urgent in overdue.values_list("queue", "urgent").distinct().order_by("queue", "urgent"):
        since = waiting_since(queue, urgent=urgent, now=now)
        if since is not None:
            gone = overdue.filter(queue=queue, urgent=urgent, queued_at__lt=since - LOST_AFTER)
            oldest = gone.order_by("queued_at").values_list("pk", flat=True)[:BATCH]
            lost += outbox.send_again(oldest, states=GIVEN)
    if lost:
        log.warning("%s jobs were not in the broker's queues any more and are sent again", len(lost))
    return lost


def _is_our_turn() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_ONE_AT_A_TIME])
        return bool(cursor.fetchone()[0])
