"""The result backend: a job's outcome is stored in its own row.

Every write is guarded: by the attempt number where the writer has claimed the job, and always by "not final yet". A
late result of a lost attempt, or of a job that was cancelled meanwhile, changes nothing.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, cast, override

from celery import Celery
from celery import states as celery_states
from celery.app.task import Context
from celery.backends.base import BaseBackend
from celery.exceptions import TaskRevokedError
from celery.exceptions import TimeoutError as CeleryTimeoutError
from celery.result import GroupResult, result_from_tuple
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from warren.delivery import chords, claim, history, losable
from warren.delivery.errors import ResultTooLargeError
from warren.delivery.listening import listener
from warren.delivery.models import Chord, Job, ResultGroup
from warren.delivery.states import FINAL, FROM_CELERY, TO_CELERY, State

# How often a result is asked for without a notification: soon at first, while the connection that hears them is made.
FIRST_POLL_S = 0.01
LONGEST_POLL_S = 1.0


@dataclass(frozen=True)
class _Outcome:
    """How a job ends; `result` is what Celery encodes: plain data, for an exception its name and arguments."""

    task_id: str
    state: State
    result: Any
    traceback: Any
    request: Context | None


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
        if getattr(request, "job_finished", False):
            return  # in the task's own transaction (`task.py`)
        if _is_eager(request) and not store_result:
            return  # called, not submitted: there is no job
        kept = result if store_result else None
        super().mark_as_done(task_id, kept, _storing(request), store_result=True, state=state)

    @override
    def mark_as_failure(
        self,
        task_id: str,
        exc: Exception,
        traceback: Any = None,
        request: Context | None = None,
        store_result: bool = True,
        call_errbacks: bool = True,
        state: str = celery_states.FAILURE,
    ) -> None:
        """Store a failure and what follows from it (chord, chain, errbacks), or neither if it is not ours to store.

        `ignore_result` or not: every accepted job becomes final.
        """
        follow = partial(
            super().mark_as_failure, task_id, exc, traceback, request, call_errbacks=call_errbacks, state=state
        )
        if _is_eager(request) and not store_result:
            super().mark_as_failure(task_id, exc, traceback, request, False, call_errbacks, state)  # noqa: FBT003  Celery's
            return
        ending = FROM_CELERY[state]
        self._fail(_Outcome(task_id, ending, self.encode_result(exc, state), traceback, request), follow)

    def end(self, task_id: str, *, state: State, error: Exception, request: Context) -> bool:
        """Make an open job `dead`, `cancelled` or `expired`, and tell what follows from it, as a failure does.

        False, and nothing changed, if it is final already.
        """
        celery_state = TO_CELERY[state]
        follow = partial(super().mark_as_failure, task_id, error, None, request, state=celery_state)
        outcome = _Outcome(task_id, state, self.encode_result(error, celery_state), str(error), request)
        return self._fail(outcome, follow)

    @override
    def mark_as_revoked(
        self,
        task_id: str,
        reason: str = "",
        request: Context | None = None,
        store_result: bool = True,
        state: str = celery_states.REVOKED,
    ) -> None:
        """Store that a job was revoked, or had expired, as `mark_as_failure` does."""
        follow = partial(super().mark_as_revoked, task_id, reason, request, state=state)
        ending = State.EXPIRED if reason == "expired" else State.CANCELLED  # the reason is all that tells
        result = self.encode_result(TaskRevokedError(reason), state)
        self._fail(_Outcome(task_id, ending, result, None, request), follow)

    @override
    def store_result(self, task_id: str, *args: Any, **kwargs: Any) -> Any:
        """Store a state; waits for a Postgres that restarts."""
        store = super().store_result
        return claim.patiently(lambda: store(task_id, *args, **kwargs))

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
        with listener.watching(task_id) as changed:
            while True:
                changed.clear()
                meta = claim.patiently(lambda: self.get_task_meta(task_id))
                if meta["status"] in celery_states.READY_STATES:
                    return dict(meta)
                listener.ensure()
                if on_interval:
                    on_interval()
                waited = time.monotonic() - started
                if timeout is not None and waited >= timeout:
                    raise CeleryTimeoutError(f"job {task_id} was not final after {timeout} s")
                changed.wait(pause if timeout is None else min(pause, timeout - waited))
                pause = min(pause * 2, interval, LONGEST_POLL_S)

    @override
    def apply_chord(self, header_result_args: tuple[Any, ...], body: Any, **_kwargs: Any) -> None:
        """Remember the chord's parts; the last to return sends the body. Replaces Celery's polling `chord_unlock`."""
        GroupResult(*header_result_args).save(backend=self)

    @override
    def set_chord_size(self, group_id: str, chord_size: int) -> None:
        """Called by Celery just before it sends the last part."""
        chords.set_size(group_id, size=chord_size)

    @override
    def on_chord_part_return(self, request: Context, state: str, result: Any, **_kwargs: Any) -> None:
        """Called for each part, in the transaction that stored its outcome."""
        if request.group:
            chords.part_returned(self.app, group_id=request.group, body=request.chord)

    def storable(self, result: Any) -> str:
        """Give the result as JSON.

        Raises `ResultTooLargeError`, with the sizes, or kombu's `EncodeError` for what is not JSON. Asked before a
        task's callbacks are sent: what cannot be stored is the task's failure.
        """
        text = str(self.encode(result))
        if (size := len(text)) > settings.RESULT_MAX_BYTES:
            raise ResultTooLargeError(
                f"the result is {size} bytes of JSON; RESULT_MAX_BYTES allows {settings.RESULT_MAX_BYTES}. "
                "Store it (a file, a row) and return its id."
            )
        return text

    def cleanup(self) -> None:
        """Delete jobs that have been final for longer than the retention; beat calls it daily."""
        oldest = timezone.now() - timedelta(days=settings.JOB_RETENTION_DAYS)
        Job.objects.filter(finished_at__lt=oldest).delete()
        ResultGroup.objects.filter(created_at__lt=oldest).delete()
        Chord.objects.filter(created_at__lt=oldest).delete()

    def _fail(self, outcome: "_Outcome", follow: Callable[[], None]) -> bool:
        def step() -> bool:
            with transaction.atomic():
                if closed := self._close(outcome):
                    follow()  # stores once more, which changes nothing
            return closed

        closed = claim.patiently(step)
        claim.give_back_pooled_connection()
        return closed

    def _store_result(
        self,
        task_id: str,
        result: Any,
        state: str,
        traceback: Any = None,
        request: Context | None = None,
        **_kwargs: Any,
    ) -> None:
        if state in celery_states.READY_STATES:
            self._close(_Outcome(task_id, FROM_CELERY[state], result, traceback, request))
        elif state in FROM_CELERY:
            # the claim and the outbox have already moved the job; only the reason for the retry is news
            _ours(task_id, request).filter(state=FROM_CELERY[state]).update(traceback=str(traceback or ""))
            if state == celery_states.RETRY:
                history.record([task_id], kind=history.ATTEMPT_FAILED, reason=_in_words(result))
        else:
            progress = json.dumps({"state": state, "meta": json.loads(self.encode(result))})
            _ours(task_id, request).update(progress=progress)

    def _close(self, outcome: "_Outcome") -> bool:
        """Make the job final; False, and nothing changed, if it is already or another attempt runs."""
        if getattr(outcome.request, losable.HEADER, False):
            return True  # it has no job; what follows from it does follow
        fields: dict[str, Any] = {
            "state": outcome.state,
            "result": self.encode(outcome.result),
            "traceback": str(outcome.traceback or ""),
        }
        if _ours(outcome.task_id, outcome.request).update(finished_at=Now(), **fields):
            return True
        if Job.objects.filter(pk=outcome.task_id).exists():
            return False
        # the rest of a chain, or the body of a chord, that will never be sent: whoever waits for it must learn why
        task = getattr(outcome.request, "task", None) or ""
        never_sent = Job(pk=outcome.task_id, task=task, finished_at=timezone.now(), **fields)
        Job.objects.bulk_create([never_sent], ignore_conflicts=True)
        return True

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
        return result_from_tuple(self.decode(saved.result.encode()), self.app)

    def _delete_group(self, group_id: str) -> None:
        ResultGroup.objects.filter(pk=group_id).delete()


def _is_eager(request: Context | None) -> bool:
    return bool(getattr(request, "is_eager", False))


def _ours(task_id: str, request: Context | None) -> QuerySet[Job]:
    """The job, while it is not final and the request may speak for it."""
    job = Job.objects.filter(pk=task_id).exclude(state__in=FINAL)
    if attempt := getattr(request, "job_attempt", None):
        # waiting once more, it was taken from this attempt: sent again, or retried by hand
        return job.filter(attempt=attempt, state__in=(State.RUNNING, State.RETRYING))
    if hostname := getattr(request, "hostname", None):
        # a worker's main process (hard time limit, lost child) knows the message, not the claim: it speaks for
        # what runs on this worker, not for an attempt that another one has taken meanwhile
        return job.exclude(Q(state=State.RUNNING) & ~Q(worker=hostname))
    return job


def _in_words(error: Any) -> str:
    """Of an encoded exception; None if a task asked for a retry without one."""
    return f"{error['exc_type']}: {error['exc_message']}" if error else "asked for another attempt"


def _storing(request: Context | None) -> Context | None:
    """The request, made to store: Celery skips the write for `ignore_result`, but the state must become final."""
    if request is not None:
        request.ignore_result = False
    return request
