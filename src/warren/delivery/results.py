"""The result backend: a job's outcome is stored in its own row, and read from there.

Here is what writes outcomes, guarded as `closing.py` says; `result_reading.py` reads them, `result_groups.py` keeps
groups and chords.

    an errback that takes a task's id   sent as a job, in the transaction that makes this one final
    one that takes (request, exc, tb)   called there, as Celery promises, by whatever ends the job: a worker, the relay,
                                        a cancel. If it fails, it is undone and logged; the job ends all the same
"""

import copy
import json
import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, override

from celery import states as celery_states
from celery.app.task import Context
from celery.canvas import Signature
from celery.exceptions import NotRegistered, TaskRevokedError, TimeLimitExceeded
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from warren.delivery import claim, closing, final_call, history, outbox, pooled, retention, savepoint
from warren.delivery.closing import Outcome
from warren.delivery.errors import ResultTooLargeError
from warren.delivery.models import Job
from warren.delivery.result_groups import GroupingBackend
from warren.delivery.result_reading import ReadingBackend
from warren.delivery.states import FINAL, FROM_CELERY, TO_CELERY, State
from warren.telemetry import carried

log = logging.getLogger(__name__)


class JobBackend(ReadingBackend, GroupingBackend):
    """Celery's result backend over `Job`. `AsyncResult` reads what the API and the dashboard read."""

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
        limit_s = exc.args[0] if isinstance(exc, TimeLimitExceeded) else None
        outcome = Outcome(task_id, FROM_CELERY[state], self.encode_result(exc, state), traceback, request, limit_s)
        if not self._fail(outcome, follow) and limit_s:
            # Celery acks it now, though its claim has still been waiting
            _patiently(lambda: outbox.send_again([task_id], states=(State.QUEUED, State.RETRYING)))

    def end(self, task_id: str, *, state: State, error: Exception, request: Context) -> bool:
        """Make an open job `dead`, `cancelled` or `expired`, and tell what follows from it, as a failure does.

        False, and nothing changed, if it is final already.
        """
        celery_state = TO_CELERY[state]
        follow = partial(super().mark_as_failure, task_id, error, None, request, state=celery_state)
        outcome = Outcome(task_id, state, self.encode_result(error, celery_state), str(error), request)
        with carried.continued(vars(request)):  # who ends it is not its worker
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
        self._fail(Outcome(task_id, ending, result, None, request), follow)

    @override
    def store_result(self, task_id: str, *args: Any, **kwargs: Any) -> Any:
        """Store a state; waits for a Postgres that restarts."""
        store = super().store_result
        return _patiently(lambda: store(task_id, *args, **kwargs))

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
        log.info("deleted after JOB_RETENTION_DAYS: %s", retention.delete_older(oldest))

    def _fail(self, outcome: Outcome, follow: Callable[[], None]) -> bool:
        def step() -> bool:
            with final_call.because_of(outcome.task_id), transaction.atomic():
                if closed := closing.close(outcome, encode=self.encode):
                    follow()  # stores once more, which changes nothing
            return closed

        return _patiently(step)

    def _call_task_errbacks(self, request: Any, exc: Exception, traceback: Any) -> None:
        """Celery's, which swallows what an errback raises: in a transaction that has been aborted by it."""
        celery: Any = super()  # whose types leave this out
        if _is_eager(request):
            celery._call_task_errbacks(request, exc, traceback)  # noqa: SLF001  there may be no database
            return
        sent = copy.copy(request)
        sent.errbacks = []
        for each in request.errbacks:
            errback: Any = self.app.signature(each)
            errback._app = errback._app or self.app  # noqa: SLF001  as Celery's own does
            if self._is_called_here(errback):
                call = partial(errback, request, exc, traceback)
                savepoint.attempt(call, what=f"errback {errback.task} of job {request.id}")
            else:
                sent.errbacks.append(errback)
        celery._call_task_errbacks(sent, exc, traceback)  # noqa: SLF001  as above

    def _is_called_here(self, errback: Signature[Any]) -> bool:
        """As Celery tells it: not a bound task, which may retry, nor one that takes no more than an id."""
        try:
            header = getattr(errback.type, "__header__", None)
        except NotRegistered:
            return False
        if header is None or isinstance(header, partial):
            return False
        return bool(self._errback_arity_greater(errback, 1))  # type: ignore[attr-defined]  # celery-types leaves it out

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
            outcome = Outcome(task_id, FROM_CELERY[state], result, traceback, request)
            closing.close(outcome, encode=self.encode)
        elif state in FROM_CELERY:
            # the claim and the outbox have already moved the job; only the reason for the retry is news
            job = closing.ours(task_id, request).filter(state=FROM_CELERY[state])
            if job.update(traceback=str(traceback or "")) and state == celery_states.RETRY:
                history.record([task_id], kind=history.ATTEMPT_FAILED, reason=_in_words(result))
        else:
            progress = json.dumps({"state": state, "meta": json.loads(self.encode(result))})
            closing.ours(task_id, request).update(progress=progress)

    def _forget(self, task_id: str) -> None:
        Job.objects.filter(pk=task_id, state__in=FINAL).delete()


def _patiently[T](step: Callable[[], T]) -> T:
    """As `claim.patiently`, and hand the connection back.

    Nobody tidies up after a greenlet that has met its hard time limit, for which Celery's own last moment for that has
    passed, nor after the one that consumes, with what it gives up when it loses RabbitMQ.
    """
    done = claim.patiently(step)
    pooled.give_back()
    return done


def _is_eager(request: Context | None) -> bool:
    return bool(getattr(request, "is_eager", False))


def _in_words(error: Any) -> str:
    """Of an encoded exception; None if a task asked for a retry without one."""
    return f"{error['exc_type']}: {error['exc_message']}" if error else "asked for another attempt"


def _storing(request: Context | None) -> Context | None:
    """The request, made to store: Celery skips the write for `ignore_result`, but the state must become final."""
    if request is not None:
        request.ignore_result = False
    return request
