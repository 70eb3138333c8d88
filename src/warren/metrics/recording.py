"""Counting what happens to jobs. Nothing here raises: a job must not fail because it could not be counted.

Each function takes as many jobs as its caller handles at once, and what is said within a transaction is counted when
that is committed: so what is counted has happened. A process that is killed takes its latest counts along at most.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache, partial, wraps
from typing import Any

from celery import current_app
from django.db import transaction
from prometheus_client import Counter as Metric

from warren.metrics import instruments, labels
from warren.metrics.tally import Tally

type Kind = tuple[str, str]  # the task and the queue of a job

log = logging.getLogger(__name__)


def _quietly[**P](count: Callable[P, None]) -> Callable[P, None]:
    @wraps(count)
    def counting(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            count(*args, **kwargs)
        except Exception:
            log.exception("something could not be counted")

    return counting


def _bound(task: str, queue: str) -> tuple[str, ...]:
    return labels.task(task), labels.queue(queue)


_waits = Tally(instruments.WAIT, bound=lambda queue: (labels.queue(queue),))
_runs = Tally(instruments.RUN, bound=_bound)


@cache  # the values of labels are bounded
def _series(metric: Metric, *values: str) -> Any:
    return metric.labels(*values)


@_quietly
def begin() -> None:
    """Show zeros of what is rare: of a series that begins with its first event, nobody sees that it has grown."""
    for queue in current_app.amqp.queues:
        _series(instruments.LOST, queue)


def changed(kinds: Iterable[Kind], *, state: str) -> None:
    """Jobs of these tasks and queues have come into this state, if the current transaction is committed."""
    _at_commit(partial(_count_states, Counter(kinds), state))


def claimed(attempts: Iterable[tuple[str, str, float | None]]) -> None:
    """Attempts begin: task, queue, and how many seconds the job had been due; None for one that ran before."""
    _at_commit(partial(_count_claims, list(attempts)))


def lost(queues: Iterable[str]) -> None:
    """Attempts of jobs of these queues ended with their worker."""
    _at_commit(partial(_count_losses, Counter(queues)))


def sent_again(jobs: int) -> None:
    """So many jobs wait in the outbox once more."""
    if jobs:
        _at_commit(partial(_count_sent_again, jobs))


def ran(task: str, queue: str, *, seconds: float) -> None:
    """A body has ended; seen after the next `flush_runs`."""
    _runs.note(task, queue, seconds=seconds)


@_quietly
def flush_runs() -> None:
    """Show how long the bodies ran that have ended."""
    _runs.flush()


def _at_commit(count: Callable[[], None]) -> None:
    transaction.on_commit(count)  # at once where there is no transaction


@_quietly
def _count_states(kinds: dict[Kind, int], state: str) -> None:
    for (task, queue), jobs in kinds.items():
        _series(instruments.JOBS, *_bound(task, queue), state).inc(jobs)


@_quietly
def _count_claims(attempts: list[tuple[str, str, float | None]]) -> None:
    for (task, queue), begun in Counter((task, queue) for task, queue, _ in attempts).items():
        _series(instruments.ATTEMPTS, *_bound(task, queue)).inc(begun)
    for _, queue, waited_s in attempts:
        if waited_s is not None:
            _waits.note(queue, seconds=max(waited_s, 0.0))
    _waits.flush()


@_quietly
def _count_losses(queues: dict[str, int]) -> None:
    for queue, attempts in queues.items():
        _series(instruments.LOST, labels.queue(queue)).inc(attempts)


@_quietly
def _count_sent_again(jobs: int) -> None:
    instruments.SENT_AGAIN.inc(jobs)
