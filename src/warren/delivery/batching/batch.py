"""A batch in the child process that runs it.

    claimed   all at once, in one statement
    run       one after the other, by Celery's own tracer, with all its signals
    stored    all at once, in one statement, at the end; a job with something to follow, or a transactional one, in a
              transaction of its own (`task.py`)

A job that takes unexpectedly long must not hold up the others. A thread, the keeper, stores what is done every
STORE_EVERY_S, and after HAND_BACK_AFTER_S gives what has not started back to the outbox, for somebody else to run.

    child dies            what was not stored is claimed again by another attempt
    Postgres stays away   the whole batch goes back to the broker; what was stored is dropped there by the claim
    the keeper fails      logged, and it tries again; what it could not hand back runs here, or, if its turn has passed
                          meanwhile, is handed back at the end

Owner: the child's main thread; the keeper shares the batch under its lock, and uses a connection of its own.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from billiard.einfo import ExceptionInfo
from celery.exceptions import Ignore, Reject
from django.db import connection

from warren.delivery import arrival, claim, outbox, outcomes
from warren.delivery.batching import log_lines
from warren.delivery.claim import Claim
from warren.delivery.errors import DatabaseUnreachableError
from warren.delivery.outcomes import Success
from warren.delivery.states import State
from warren.metrics import recording
from warren.telemetry import tracing

STORE_EVERY_S = 0.1
HAND_BACK_AFTER_S = 1.0

# what a pool's child returns for one job: True and the tracer's value, or False and an error
type Outcome = tuple[bool, Any]
type Trace = Callable[..., Any]

current: "Batch | None" = None
_begun = threading.Event()
_keeper: threading.Thread | None = None

log = logging.getLogger(__name__)


class Batch:
    """Jobs that were claimed together, and the outcomes that are not stored yet."""

    def __init__(self, claims: dict[str, Claim], *, traces: tracing.Batch = tracing.untraced_batch) -> None:
        self.claims = claims
        self._traces = traces
        self.begun_at = time.monotonic()
        self._not_started = set(claims)
        self._done: list[Success] = []
        self._lock = threading.Lock()
        self._storing = threading.Lock()

    def start(self, job_id: str) -> int | None:
        """Give the number of the attempt; None for a job that is not of this batch. Raises `Ignore` if handed back."""
        if job_id not in self.claims:
            return None
        with self._lock:
            if job_id not in self._not_started:
                raise Ignore(f"job {job_id} was handed back, because its turn did not come")
            self._not_started.discard(job_id)
        return self.claims[job_id].attempt

    def add(self, success: Success) -> None:
        """Store this with the others."""
        with self._lock:
            self._done.append(success)

    def store(self) -> None:
        """Store what is done by now. Raises `DatabaseUnreachableError`; nothing is forgotten then."""
        with self._storing:
            with self._lock:
                done = list(self._done)
            recording.flush_runs()
            if done:
                with self._traces.step("finish", [each.job_id for each in done]):
                    claim.patiently(lambda: outcomes.succeed_all(done))
                with self._lock:
                    del self._done[: len(done)]

    def hand_back(self) -> None:
        """Send what has not started again, for another process; its turn here never comes.

        Raises `DatabaseUnreachableError` and Django's errors; nothing is handed back then.
        """
        with self._storing:
            with self._lock:
                left, self._not_started = self._not_started, set()
            try:
                if left:
                    claim.patiently(lambda: outbox.send_again(left, states=[State.RUNNING]))
            except Exception:
                with self._lock:
                    self._not_started |= left
                raise


def run(trace: Trace, jobs: list[tuple[Any, ...]]) -> list[Outcome]:
    """Run the jobs, each the arguments of Celery's `trace`; returns their outcomes in the same order.

    Raises `Reject`, which gives all of them back, when Postgres stays away.
    """
    global current  # noqa: PLW0603  a child runs one batch at a time
    arrivals = {job[1]: arrival.of(job[2]) for job in jobs}
    traces = tracing.batch({job[1]: job[2] for job in jobs})
    try:
        with traces.step("claim", list(arrivals)):
            claims = claim.patiently(lambda: claim.take_all(arrivals, worker=jobs[0][2]["hostname"]))
        current = Batch(claims, traces=traces)
        _wake_keeper()
        with log_lines.of_successes_together():
            done = _run_all(current, trace, jobs)
            current.store()
            current.hand_back()  # what was passed over while that failed
    except DatabaseUnreachableError as exc:
        raise Reject(exc, requeue=True) from exc
    finally:
        current = None
    return done


def _run_all(batch: Batch, trace: Trace, jobs: list[tuple[Any, ...]]) -> list[Outcome]:
    """Those that have cost a worker before run last, when all others are stored."""
    suspects = {job_id for job_id, taken in batch.claims.items() if taken.losses}
    done = {job[1]: _outcome(trace, job) for job in jobs if job[1] not in suspects}
    for job in jobs:
        if job[1] in suspects:
            batch.store()
            done[job[1]] = _outcome(trace, job)
    return [done[job[1]] for job in jobs]


def _outcome(trace: Trace, job: tuple[Any, ...]) -> Outcome:
    try:
        return True, trace(*job)
    except Exception:  # noqa: BLE001  Celery's pool reports whatever a job raises, to be handled in the main process
        return False, ExceptionInfo()


def _wake_keeper() -> None:
    global _keeper  # noqa: PLW0603  one in each child
    if _keeper is None or not _keeper.is_alive():
        _keeper = threading.Thread(target=_keep, name="keeper", daemon=True)
        _keeper.start()
    _begun.set()


def _keep() -> None:
    while _begun.wait():
        time.sleep(STORE_EVERY_S)
        _begun.clear()  # before the look: what begins after it is seen at the next turn
        if (batch := current) is None:
            continue
        _begun.set()
        try:
            _look_after(batch)
        except Exception:
            log.exception("the keeper could not store what is done, or hand back what waits; it tries again")
            time.sleep(claim.DATABASE_RETRY_S)


def _look_after(batch: Batch) -> None:
    age_s = time.monotonic() - batch.begun_at
    if age_s < STORE_EVERY_S:
        return
    try:
        batch.store()
        if age_s > HAND_BACK_AFTER_S:
            batch.hand_back()
    finally:
        connection.close()
