"""Ends a worker that cannot end one of its tasks: what runs on over its hard time limit must not hold its job for ever.

Prefork kills the process of such a task. The green pools end a task that waits, but not one that computes in an endless
loop; threads and solo end none.

    over the hard limit by a grace    the process shows where it stands and exits, as in a crash: its jobs come back,
                                      and the culprit is blamed until it is dead (`delivery/losses.py`)

Owner: a native thread, since a task that blocks the green loop blocks every greenlet.
"""

import faulthandler
import logging
import os
import time
from collections.abc import Iterable
from functools import partial
from typing import Any

from celery import bootsteps
from celery.concurrency import prefork

from warren.delivery import cancellation, lease_step, lease_thread

LOOK_EVERY_S = 1.0
# As long again as the task had: the pool's own limit, which costs nobody else anything, comes first.
LONGEST_GRACE_S = 60.0

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


def find(requests: Iterable[Any], *, limit_s: float | None, now: float) -> Any:
    """A request that has run for its hard time limit and the grace, or None; `limit_s` is for tasks without one."""
    for request in requests:
        own_s = request.time_limits[0] or request.task.time_limit or limit_s
        if own_s and request.time_start and now - request.time_start > own_s + min(own_s, LONGEST_GRACE_S):
            return request
    return None


def _watch(limit_s: float | None) -> None:
    while True:
        time.sleep(LOOK_EVERY_S)
        overdue = find(lease_step.running(), limit_s=limit_s, now=time.time())
        if overdue is not None:
            log.critical("task %s of job %s does not end; leaving, to be started anew", overdue.name, overdue.id)
            faulthandler.dump_traceback()  # in which line it is
            os._exit(os.EX_SOFTWARE)
