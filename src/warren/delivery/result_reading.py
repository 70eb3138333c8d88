"""The half of the result backend that reads: what `AsyncResult` shows of a job, and how it waits for the end of one."""

import json
import time
from collections.abc import Callable
from typing import Any

from celery import states as celery_states
from celery.backends.base import BaseBackend
from celery.exceptions import TimeoutError as CeleryTimeoutError

from warren.delivery import claim, pooled
from warren.delivery.listening import listener
from warren.delivery.models import Job
from warren.delivery.states import State

# How often a result is asked for while nobody tells of it: soon at first, while the connection that hears is made.
FIRST_POLL_S = 0.01
LONGEST_POLL_S = 1.0

# All but the arguments and the message, which may be long.
_SHOWN = ("task", "state", "result", "traceback", "progress", "finished_at")


class ReadingBackend(BaseBackend):
    """Reads `Job`, the row that the API and the dashboard read."""

    def wait_for(
        self,
        task_id: str,
        timeout: float | None = None,
        interval: float = LONGEST_POLL_S,
        no_ack: bool = True,  # noqa: ARG002, FBT001, FBT002  Celery's signature
        on_interval: Callable[[], None] | None = None,
    ) -> dict[str, Any]:
        """Block until the job is final. Postgres tells; we ask too, at most every `interval` s, in case it cannot."""
        self._ensure_not_eager()  # type: ignore[attr-defined]  # celery-types leaves it out
        started, pause = time.monotonic(), FIRST_POLL_S
        with listener.watching(task_id, end_only=True) as changed:
            while True:
                changed.clear()
                told = listener.hears  # as it is before we look: then the end cannot be missed
                meta = claim.patiently(lambda: self.get_task_meta(task_id))
                if meta["status"] in celery_states.READY_STATES:
                    return dict(meta)
                listener.ensure()
                if on_interval:
                    on_interval()
                waited = time.monotonic() - started
                if timeout is not None and waited >= timeout:
                    raise CeleryTimeoutError(f"job {task_id} was not final after {timeout} s")
                longest = min(interval, LONGEST_POLL_S)
                pause = longest if told else min(pause * 2, longest)
                pooled.give_back()  # the job may need it to become final
                changed.wait(pause if timeout is None else min(pause, timeout - waited))

    def _get_task_meta_for(self, task_id: str) -> dict[str, Any]:
        job = Job.objects.filter(pk=task_id).only(*_SHOWN).first()
        if job is None:
            return {"task_id": task_id, "status": celery_states.PENDING, "result": None, "traceback": None}
        meta = {
            "task_id": task_id,
            "status": job.celery_state,
            "result": self.decode(job.result.encode()) if job.result is not None else None,
            "traceback": job.traceback or None,
            "name": job.task,
            "date_done": job.finished_at and job.finished_at.isoformat(),
        }
        if job.state == State.RUNNING and job.progress:
            progress = json.loads(job.progress)
            meta |= {"status": progress["state"], "result": progress["meta"]}
        return dict(self.meta_from_decoded(meta))
