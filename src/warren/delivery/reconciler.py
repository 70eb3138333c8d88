"""Finds jobs that nobody works on any more, and sends them again.

Two ways in which a job is forgotten:
    its worker is gone     it runs, but its worker's lease has expired (`leases.py`): a loss is counted (`losses.py`)
    the broker lost it     it was queued for longer than LOST_AFTER and its queue has no message ready. Wrong guesses
                           are harmless: messages that a worker has fetched ahead are not ready either, so such a job
                           may be sent twice, and the claim lets one delivery run it. A guess is repeated after
                           LOST_AFTER at the earliest, never while messages are ready

    queue wiped, or broker without its disk   every waiting job is found once the queue exists again and is empty
    another relay reconciles                  one at a time: whoever gets the lock
    relay dies                                nothing is half done: one transaction
    Postgres was away                         its workers could not renew their leases; the relay reconciles only when
                                              they have had the time to (`relay.py`)
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection, transaction

from warren.delivery import leases, losses, outbox, outcomes
from warren.delivery.models import Job, Worker
from warren.delivery.states import State

LOST_AFTER = timedelta(seconds=60)
BATCH = 1000
GIVEN = (State.QUEUED, State.RETRYING)  # states of a job whose message is with the broker, if `queued_at` is set

# Rows of workers that stopped without saying so are kept for a look at what happened.
FORGET_WORKERS_AFTER = timedelta(days=1)

# A job that has only just started may run under a lease that is not written yet.
_ORPHANS = """
SELECT job.id FROM warren_job AS job
WHERE job.state = 'running' AND job.message <> '' AND job.started_at < now() - %(lease_s)s * interval '1s'
  AND job.lease IS DISTINCT FROM %(replaced)s
  AND NOT EXISTS (SELECT FROM warren_worker AS holder
                  WHERE holder.id = job.lease AND holder.seen_at > now() - %(lease_s)s * interval '1s')
LIMIT %(batch)s
FOR UPDATE SKIP LOCKED
"""

_ONE_AT_A_TIME = 7_237_001  # any number, the same in every relay

log = logging.getLogger(__name__)


def run(messages_ready: Callable[[str], int | None], *, now: datetime) -> list[str]:
    """Send forgotten jobs again; returns their ids.

    `messages_ready` counts a queue's messages, or answers None if it cannot tell.
    """
    with transaction.atomic():
        if not _is_our_turn():
            return []
        Worker.objects.filter(seen_at__lt=now - FORGET_WORKERS_AFTER).delete()
        return _send_orphans_again() + _send_lost_again(messages_ready, now=now)


def _send_orphans_again() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_ORPHANS, {"lease_s": leases.LEASE_S, "replaced": outcomes.REPLACED, "batch": BATCH})
        orphans = [row[0] for row in cursor.fetchall()]
    for job in Job.objects.filter(pk__in=orphans):
        losses.count(job, reason=f"worker {job.worker} is gone")
    return orphans


def _send_lost_again(messages_ready: Callable[[str], int | None], *, now: datetime) -> list[str]:
    overdue = Job.objects.filter(state__in=GIVEN, queued_at__lt=now - LOST_AFTER)
    lost: list[str] = []
    for queue in overdue.values_list("queue", flat=True).distinct().order_by("queue"):
        if messages_ready(queue) == 0:
            oldest = overdue.filter(queue=queue).order_by("queued_at").values_list("pk", flat=True)[:BATCH]
            lost += outbox.send_again(oldest, states=GIVEN)
    if lost:
        log.warning("%s jobs were not in RabbitMQ any more and are sent again", len(lost))
    return lost


def _is_our_turn() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_ONE_AT_A_TIME])
        return bool(cursor.fetchone()[0])
