"""Lets jobs that were lost with others out a few at a time, so that the next crash tells who did it.

A process of greenlets dies with all that it ran (`losses.py`). If all of it came back at once, it would die with all of
it again, and the innocent would be given up with the culprit: a worker takes longer to start than anybody would wait.

    suspect   a job with losses
    out       with the broker; or running for less than WATCH_S, since most culprits kill at once, and nobody shall wait
              for the end of a long job; or lost with a worker, and not back yet. What the broker was given long ago
              waits behind others, or is lost too
    held      stays in the outbox: for each queue GROUP suspects with one loss are out at most, and one with more only
              alone. Whoever is not suspect passes

    a crash costs the culprit's group a second loss; from then on each runs alone, and only the culprit is lost again
    two relays look at once       each lets some out: a few too many, and the next crash tells less
    a worker counts a loss        it holds the job and waits for the message, which the relay holds: the relay never
                                  waits for a job here
    a worker does not come back   suspects wait up to FORGOTTEN_AFTER_S for each other
"""

from collections.abc import Iterable
from datetime import timedelta

from django.db import connection
from django.db.models.functions import Now

from warren.delivery.models import Job, OutboxMessage

GROUP = 10
WATCH_S = 10
SILENT_S = 10  # of a worker that renews its lease every five
FORGOTTEN_AFTER_S = 60
LOOK_AGAIN_AFTER = timedelta(seconds=0.2)

_OUT = """
SELECT queue, count(*), max(losses) FROM warren_job
WHERE finished_at IS NULL AND queue = ANY(%(queues)s) AND losses > 0
  AND (state IN ('queued', 'retrying') AND queued_at > now() - %(forgotten_s)s * interval '1s'
       OR state = 'running'
          AND (started_at > now() - %(watch_s)s * interval '1s'
               OR NOT EXISTS (SELECT FROM warren_worker AS holder
                              WHERE holder.id = lease AND holder.seen_at > now() - %(silent_s)s * interval '1s')))
GROUP BY queue
"""


def let_out(due: list[OutboxMessage]) -> list[OutboxMessage]:
    """The messages that may be published now; the others are put off. Call it in the transaction that holds them."""
    suspects = [message for message in due if message.job.losses]
    if not suspects:
        return due
    held = _held(suspects, out=_out({message.job.queue for message in suspects}))
    _put_off(held)
    return [message for message in due if message not in held]


def _put_off(held: list[OutboxMessage]) -> None:
    """Their jobs too, so that no older message of theirs is claimed meanwhile, but for those that somebody has locked.

    Who counts a loss has locked the job and wants its message, which is ours: neither may wait for the other.
    """
    again_at = Now() + LOOK_AGAIN_AFTER
    jobs = Job.objects.filter(pk__in=[message.job_id for message in held])
    free = list(jobs.select_for_update(skip_locked=True).values_list("pk", flat=True))
    Job.objects.filter(pk__in=free).update(available_at=again_at)
    OutboxMessage.objects.filter(pk__in=[message.pk for message in held]).update(available_at=again_at)


def _held(suspects: Iterable[OutboxMessage], *, out: dict[str, tuple[int, int]]) -> list[OutboxMessage]:
    held = []
    for message in suspects:
        queue, losses = message.job.queue, message.job.losses
        count, most = out.get(queue, (0, 0))
        most = max(most, losses)
        if count < (GROUP if most == 1 else 1):
            out[queue] = (count + 1, most)
        else:
            held.append(message)
    return held


def _out(queues: Iterable[str]) -> dict[str, tuple[int, int]]:
    """How many suspects of each queue are out, and the most losses of one of them."""
    with connection.cursor() as cursor:
        times = {"forgotten_s": FORGOTTEN_AFTER_S, "watch_s": WATCH_S, "silent_s": SILENT_S}
        cursor.execute(_OUT, {"queues": list(queues), **times})
        return {queue: (count, most) for queue, count, most in cursor.fetchall()}
