"""The result backend: a job's outcome is stored in its own row.

Every write is guarded: by the attempt number where the writer has claimed the job, and always by "not final yet". A
late result of a lost attempt, or of a job that was cancelled meanwhile, changes nothing.
"""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

from celery import Celery
from celery import states as celery_states
from celery.app.task import Context
from celery.backends.base import BaseBackend
from celery.exceptions import TimeoutError as CeleryTimeoutError
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from warren.delivery.errors import ResultTooLargeError
from warren.delivery.models import Job, ResultGroup
from warren.delivery.states import FINAL, FROM_CELERY, State

FIRST_POLL_S = 0.005
LONGEST_POLL_S = 0.25


class JobBackend(BaseBackend):
    """Celery's result backend over `Job`. `AsyncResult` reads what the API and the dashboard read."""

    app: Celery
    persistent = True
    supports_autoexpire = False

    def mark_as_done(
        self,
        task_id: str,
        result: Any,
        request: Context | None = None,
        store_result: bool = True,  # noqa: FBT001, FBT002  Celery's signature
        state: str = celery_states.SUCCESS,
    ) -> None:
        """Store the outcome of a finished task. With `ignore_result` the state is kept and the value is not."""
        kept = result if store_result else None
        super().mark_as_done(task_id, kept, _storing(request), store_result=True, state=state)

    def mark_as_failure(self, task_id: str, exc: Exception, *args: Any, **kwargs: Any) -> None:
        """Store a failure, `ignore_result` or not: an accepted job always becomes final."""
        kwargs["store_result"] = True
        super().mark_as_failure(task_id, exc, *args, **kwargs)

    def exception_safe_to_retry(self, exc: BaseException) -> bool:
        """Whether the database was only away: the write is guarded, so doing it again is harmless."""
        return isinstance(exc, OperationalError | InterfaceError)

    def wait_for(
        self,
        task_id: str,
        timeout: float | None = None,
        interval: float = LONGEST_POLL_S,
        no_ack: bool = True,  # noqa: ARG002, FBT001, FBT002  Celery's signature
        on_interval: Callable[[], None] | None = None,
    ) -> dict[str, Any]:
        """Block until the job is final, asking after 5 ms and then ever more rarely, at most every `interval` s."""
        self._ensure_not_eager()  # type: ignore[attr-defined]  # celery-types leaves it out
        started, pause = time.monotonic(), FIRST_POLL_S
        while True:
            meta = self.get_task_meta(task_id)
            if meta["status"] in celery_states.READY_STATES:
                return dict(meta)
            if on_interval:
                on_interval()
            waited = time.monotonic() - started
            if timeout is not None and waited >= timeout:
                raise CeleryTimeoutError(f"job {task_id} was not final after {timeout} s")
            time.sleep(pause if timeout is None else min(pause, timeout - waited))
            pause = min(pause * 1.5, interval, LONGEST_POLL_S)

    def refuse_unstorable(self, result: Any) -> None:
        """Raise `ResultTooLargeError`, with the sizes, or kombu's `EncodeError` for what is not JSON.

        Asked before a task's callbacks are sent: what cannot be stored is the task's failure.
        """
        if (size := len(self.encode(result))) > settings.RESULT_MAX_BYTES:
            raise ResultTooLargeError(
                f"the result is {size} bytes of JSON; RESULT_MAX_BYTES allows {settings.RESULT_MAX_BYTES}. "
                "Store it (a file, a row) and return its id."
            )

    def cleanup(self) -> None:
        """Delete jobs that have been final for longer than the retention; beat calls it daily."""
        oldest = timezone.now() - timedelta(days=settings.JOB_RETENTION_DAYS)
        Job.objects.filter(finished_at__lt=oldest).delete()
        ResultGroup.objects.filter(created_at__lt=oldest).delete()

    def _store_result(
        self,
        task_id: str,
        result: Any,
        state: str,
        traceback: Any = None,
        request: Context | None = None,
        **_kwargs: Any,
    ) -> None:
        open_job = Job.objects.filter(pk=task_id).exclude(state__in=FINAL)
        if attempt := getattr(request, "job_attempt", None):
            open_job = open_job.filter(attempt=attempt)
        elif hostname := getattr(request, "hostname", None):
            # a worker's main process (hard time limit, lost child) knows the message, not the claim: it speaks for
            # what runs on this worker, not for an attempt that another one has taken meanwhile
            open_job = open_job.exclude(Q(state=State.RUNNING) & ~Q(worker=hostname))
        if state not in FROM_CELERY:
            open_job.update(progress=json.dumps({"state": state, "meta": json.loads(self.encode(result))}))
            return
        new_state = FROM_CELERY[state]
        if new_state == State.CANCELLED and "expired" in result["exc_message"]:
            new_state = State.EXPIRED  # Celery revokes an expired message, and its reason is all that tells
        if new_state in (State.RUNNING, State.RETRYING):
            # the claim and the outbox have already moved the job; only the reason for the retry is news
            open_job.filter(state=new_state).update(traceback=str(traceback or ""))
            return
        open_job.update(state=new_state, result=self.encode(result), traceback=str(traceback or ""), finished_at=Now())

    def _get_task_meta_for(self, task_id: str) -> dict[str, Any]:
        job = Job.objects.filter(pk=task_id).first()
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

    def _forget(self, task_id: str) -> None:
        Job.objects.filter(pk=task_id, state__in=FINAL).delete()

    def _save_group(self, group_id: str, result: Any) -> Any:
        text = cast("str", self.encode(result.as_tuple()))  # celery-types calls it bytes; of JSON it is text
        ResultGroup.objects.update_or_create(pk=group_id, defaults={"result": text})
        return result

    def _restore_group(self, group_id: str) -> dict[str, Any] | None:
        saved = ResultGroup.objects.filter(pk=group_id).first()
        return {"result": self._group_from(saved), "task_id": group_id} if saved else None

    def _group_from(self, saved: ResultGroup) -> Any:
        from celery.result import result_from_tuple  # noqa: PLC0415  celery.result imports the backends

        return result_from_tuple(self.decode(saved.result.encode()), self.app)

    def _delete_group(self, group_id: str) -> None:
        ResultGroup.objects.filter(pk=group_id).delete()


def _storing(request: Context | None) -> Context | None:
    """The request, made to store: Celery skips the write for `ignore_result`, but the state must become final."""
    if request is not None:
        request.ignore_result = False
    return request
