"""Taking jobs before their bodies run.

One UPDATE moves a job to running and counts the attempt; whoever's UPDATE matched runs the body, everyone else has a
duplicate and drops it. The attempt number is the fencing token: a result is stored only while it is still the
current one (`outcomes.py`). One statement takes any number of jobs.

    worker dies before the claim   the message is delivered again; the claim then matches
    worker dies after the claim    its message comes back, marked redelivered, or the reconciler sends another: a
                                   running job is taken by the message of its attempt, or when the lease has expired
                                   A process of greenlets or threads dies with many: those are sent again (`losses.py`)
    another message comes back     which a worker had fetched and not begun: that says nothing of the job's worker
    it dies again and again        each such claim counts a loss; instead of the last the job is made dead (`losses.py`)
    it was replaced                by a chain or chord (`outcomes.py`): this message is an old one, dropped
    job is not due yet             it was sent again, for later: this message is an old one, dropped
    job is past its expiry         it becomes expired here, by Postgres' clock
    job is final                   cancelled, or done by another delivery: dropped, acked
    no row                         published by a producer that is not Warren's: adopted (`adoption.py`)
"""

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

from celery.exceptions import Ignore, Reject
from django.db import InterfaceError, OperationalError, connection, transaction

from warren.delivery import adoption, arrival, expiry, leases, losses, outcomes, pooled, prepared
from warren.delivery.arrival import Arrival
from warren.delivery.batching.combining import Combiner
from warren.delivery.errors import DatabaseUnreachableError
from warren.metrics import recording
from warren.telemetry import tracing

if TYPE_CHECKING:  # which claims its job through this module
    from warren.delivery.task import JobTask

# A restarted Postgres answers again within seconds; a claim that waits longer than this gives the message back.
DATABASE_PATIENCE_S = 60.0
DATABASE_RETRY_S = 0.5

# A sixth of worker-io's greenlets (services/worker/start): more save little CPU.
MOST_TOGETHER = 16

_TAKE = """
UPDATE warren_job AS job
SET state = 'running', attempt = job.attempt + 1, losses = job.losses + (job.state = 'running')::int,
    worker = %(worker)s, lease = %(lease)s, message_id = delivery.message_id, started_at = now(), progress = NULL
FROM unnest(%(ids)s::text[], %(message_ids)s::text[], %(redelivered)s::boolean[])
    AS delivery(id, message_id, redelivered)
WHERE job.id = delivery.id
  AND (job.state IN ('accepted', 'queued', 'retrying') AND job.available_at <= clock_timestamp()
       AND (job.expires_at IS NULL OR job.expires_at > clock_timestamp())
       OR (job.state = 'running' AND job.lease IS DISTINCT FROM %(replaced)s
           AND (delivery.redelivered AND delivery.message_id = job.message_id
                OR job.losses + 1 < %(loss_limit)s
                   AND NOT EXISTS (SELECT FROM warren_worker AS holder
                                   WHERE holder.id = job.lease
                                     AND holder.seen_at > now() - %(lease_s)s * interval '1s'))))
RETURNING job.id, job.attempt, job.losses, job.task, job.queue,
          extract(epoch FROM now() - job.available_at)::float8
"""


class Claim(NamedTuple):
    """One job taken: the number of this attempt, and how many attempts before it ended with their worker."""

    attempt: int
    losses: int


class _Wanted(NamedTuple):
    job_id: str
    arrival: Arrival
    worker: str


def take(task: "JobTask") -> int:
    """Claim the job of the running request; returns the number of this attempt.

    Raises `Ignore` for a duplicate, and for a job that is given up; and `Reject`, which gives the message back, when
    Postgres stays away.
    """
    try:
        with tracing.span("claim"):
            claim = patiently(lambda: _claim(task))
    except DatabaseUnreachableError as exc:
        raise Reject(exc, requeue=True) from exc
    pooled.give_back()  # the body may wait on a network
    return claim.attempt


def take_all(arrivals: Mapping[str, Arrival], *, worker: str) -> dict[str, Claim]:
    """Claim jobs, by id, with the messages that came for them; returns those that were taken."""
    # all who change several jobs take them in this order, so that none waits for each other
    arrivals = dict(sorted(arrivals.items()))
    row: dict[str, Any] = {
        "message_ids": [each.message_id for each in arrivals.values()],
        "redelivered": [each.redelivered for each in arrivals.values()],
        "worker": worker,
        "lease": leases.current,
        "lease_s": leases.LEASE_S,
        "replaced": outcomes.REPLACED,
        "loss_limit": losses.LOSS_LIMIT,
    }
    came_back = {job_id: each.message_id for job_id, each in arrivals.items() if each.redelivered}
    with transaction.atomic() if came_back else nullcontext():
        settled = losses.returned(came_back) if came_back else ()
        row["ids"] = [None if job_id in settled else job_id for job_id in arrivals]
        with prepared.cursor() as cursor:
            cursor.execute(_TAKE, row)
            rows = cursor.fetchall()
        recording.claimed((task, queue, None if lost else waited_s) for *_, lost, task, queue, waited_s in rows)
        taken = {job_id: Claim(attempt, lost) for job_id, attempt, lost, *_ in rows}
    if len(taken) < len(arrivals):
        expiry.settle(job_id for job_id in arrivals if job_id not in taken)
    return taken


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


def _claim(task: "JobTask") -> Claim:
    request: Any = task.request
    wanted = _Wanted(request.id, arrival.of(vars(request)), request.hostname or "")
    taken = _together.ask(wanted) if pooled.give_back() else _take_each([wanted])[0]
    if taken is None and not adoption.adopt(task):
        raise Ignore(f"job {request.id} is final or runs elsewhere")
    return taken or Claim(attempt=1, losses=0)


def _take_each(wanted: "list[_Wanted]") -> "list[Claim | None]":
    taken = take_all({each.job_id: each.arrival for each in wanted}, worker=wanted[0].worker)
    return [taken.pop(each.job_id, None) for each in wanted]


# Threads and greenlets claim at the same time. Bodies that begin together end together, and nobody has work then for
# what waits on the network: few begin together.
_together = Combiner(_take_each, most=MOST_TOGETHER)
