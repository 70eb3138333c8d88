"""Stopping a cancelled job where it runs. Its row is final already: what is told here only ends work that is in vain.

    prefork            its process is terminated, and replaced by a new one
    gevent, eventlet   its greenlet is killed
    threads, solo      nothing can be stopped from outside: a long task asks for itself, by `raise_if_cancelled()`

Workers look for cancelled jobs of theirs whenever they renew their lease (`leases.py`), so also while RabbitMQ is away;
a message through RabbitMQ makes them look at once. A look asks Postgres, never the message: a job that has been retried
meanwhile is left alone, and a worker keeps no list of ids that it would refuse for ever, as Celery's own revoke does.
"""

import time
from typing import Any

from celery import current_task
from celery.worker.control import control_command
from celery.worker.state import requests

from warren.delivery import pooled
from warren.delivery.errors import CancelledError
from warren.delivery.models import Job
from warren.delivery.states import State

LOOK = "look_for_cancelled"  # the message that makes workers look at once
STOPPING_POOLS = frozenset({"prefork", "gevent", "eventlet"})  # as `Worker.pool` names them

# Often enough for a person who waits for it, and cheap enough to be called from an inner loop.
ASK_EVERY_S = 1.0

TURN_AFTER_S = (0.1, 0.5, 2.0)  # when the answer is there: usually, on a busy machine, at the latest


def raise_if_cancelled() -> None:
    """Called by a task now and then: ends it by `CancelledError` if its job is cancelled, or has been taken from it.

    Asks Postgres at most once a second. What a transactional task has written is rolled back. Outside a worker it does
    nothing.
    """
    request: Any = current_task and current_task.request
    attempt = getattr(request, "job_attempt", None)
    if attempt is None or time.monotonic() - getattr(request, "asked_at", float("-inf")) < ASK_EVERY_S:
        return
    request.update(asked_at=time.monotonic())
    goes_on = Job.objects.filter(pk=request.id, attempt=attempt, state=State.RUNNING).exists()
    pooled.give_back()
    if not goes_on:
        raise CancelledError(f"attempt {attempt} of job {request.id} was cancelled or lost")


def stop(job_id: str, *, pool: Any) -> None:
    """In a worker's main process: end what runs for this job, if the pool can."""
    request = requests.get(job_id)
    if request is not None and pool_name(type(pool)) in STOPPING_POOLS and not request._already_revoked:  # noqa: SLF001  as Celery's own revoke does
        request.terminate(pool)


def pool_name(pool: type) -> str:
    """How `Worker.pool` calls one of Celery's pools: prefork, gevent, eventlet, thread, solo."""
    own = next(each for each in pool.__mro__ if each.__module__.startswith("celery.concurrency."))
    return own.__module__.rpartition(".")[2]


@control_command(name=LOOK)
def look(state: Any) -> dict[str, str]:
    """Look for cancelled jobs now; a remote control command."""
    state.consumer.controller.lease.look()
    # the lease's thread answers to the loop, which sleeps until something happens
    for delay_s in TURN_AFTER_S:
        state.consumer.timer.call_after(delay_s, _turn)
    return {"ok": "looking"}


def _turn() -> None:
    """Nothing: that the timer fires is what makes the loop turn."""
