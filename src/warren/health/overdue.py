"""Ends a worker that cannot end one of its tasks: what runs on over its hard time limit must not hold its job for ever.

Prefork kills the process of such a task. The green pools end a task that waits, but not one that computes in an endless
loop; threads and solo end none.

    over the hard limit by a grace    the process shows where the task stands, makes its job failed
                                      (`delivery/over_limit.py`) and exits, as in a crash: its other jobs come back
    it blocks the green loop          others are over their limit only because of it: their time does not count
    Postgres does not answer in time  the process exits all the same; the job is lost with it, and the culprit is blamed
                                      until it is dead (`delivery/losses.py`)
    eventlet                          its threads are greenlets, so nobody looks while one of them blocks the loop

Owner: a native thread, since a task that blocks the green loop blocks every greenlet.
"""

import faulthandler
import logging
import os
import time
from collections.abc import Collection, Iterable
from functools import partial
from typing import Any, NoReturn

from celery import bootsteps
from celery.concurrency import prefork

from warren.delivery import cancellation, lease_step, lease_thread, over_limit
from warren.health import computing

LOOK_EVERY_S = 1.0
# As long again as the task had: the pool's own limit, which costs nobody else anything, comes first.
LONGEST_GRACE_S = 60.0
# Connecting to a Postgres that is away fails after five; until then nothing else in a green process runs anyway.
FAIL_WITHIN_S = 10.0

log = logging.getLogger(__name__)


class OverdueStep(bootsteps.StartStopStep):
    """Watches over the running tasks, in every pool but prefork."""

    requires = ("celery.worker.components:Pool",)

    def include_if(self, worker: Any) -> bool:
        """Prefork needs no help."""
        return not issubclass(worker.pool_cls, prefork.TaskPool)

    def start(self, worker: Any) -> None:
        """Begin to watch."""
        lease_thread.start(partial(_watch, worker.time_limit), pool=cancellation.pool_name(worker.pool_cls))


def find(requests: Iterable[Any], *, limit_s: float | None, now: float, computes: Collection[str] = frozenset()) -> Any:
    """A request that has run for its hard time limit and the grace, or None; `limit_s` is for tasks without one.

    `computes` are the ids of the tasks that compute at this moment; while there is any, no other is looked at.
    """
    for request in requests:
        own_s = _limit_of(request, limit_s)
        if not own_s or not request.time_start or (computes and request.id not in computes):
            continue
        if now - request.time_start > own_s + min(own_s, LONGEST_GRACE_S):
            return request
    return None


def leave(culprit: Any, *, limit_s: float) -> NoReturn:
    """Make the job of this request failed if that can be done soon, and end the process in any case."""
    log.critical("task %s of job %s does not end; leaving, to be started anew", culprit.name, culprit.id)
    faulthandler.dump_traceback()  # in which line it is
    # whatever the next step waits for: a lock of a greenlet, Postgres, the culprit's errbacks
    faulthandler.dump_traceback_later(FAIL_WITHIN_S, exit=True)
    try:
        if not over_limit.fail(culprit.id, limit_s=limit_s):
            log.warning("job %s is no longer of this worker, and left as it is", culprit.id)
    except Exception:
        log.exception("job %s could not be made failed, and is lost with this worker", culprit.id)
    finally:
        os._exit(os.EX_SOFTWARE)


def _limit_of(request: Any, limit_s: float | None) -> float | None:
    limit: float | None = request.time_limits[0] or request.task.time_limit or limit_s
    return limit


def _watch(limit_s: float | None) -> None:
    suspect = None
    while True:
        time.sleep(LOOK_EVERY_S)
        found = find(lease_step.running(), limit_s=limit_s, now=time.time(), computes=computing.task_ids())
        # seen twice: a loop that was blocked until now ends what is over its limit by itself
        if found is not None and found is suspect:
            leave(found, limit_s=_limit_of(found, limit_s) or 0)
        suspect = found or suspect
