"""The base of every task: claim, body, finish.

plain           claim │ body │ outcome, next steps, chord part: one transaction │ ack
transactional   claim │ body, outcome, next steps, chord part: one transaction │ ack

worker dies in the body        the message comes back; the next claim is the next attempt
worker dies before the commit  the same; nothing of a transactional body is left
worker dies after the commit   the message comes back, the job is final, it is dropped
another attempt has won        the UPDATE matches nothing: rolled back, a transactional body's effects included
the body fails                 a transactional body is rolled back; the failure is stored by Celery's tracer.
                               `sys.exit()` in it is a failure too, in every pool
Postgres goes away in it       not the body's failure: the message comes back, and it is another attempt
"""

import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from billiard.common import terminate_handler_fired  # type: ignore[attr-defined]  # newer than its stubs
from celery import Celery, signature
from celery.app.trace import get_actual_ignore_result  # type: ignore[attr-defined]  # celery-types leaves it out
from celery.contrib.django.task import DjangoTask
from celery.exceptions import Ignore, Reject, Retry
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError, connection, transaction

from warren.delivery import claim, final_call, losable, on_final, outcomes, places
from warren.delivery.batching import batch as batches
from warren.delivery.errors import CancelledError, DatabaseUnreachableError, ExitError, OutOfMemoryError
from warren.delivery.outcomes import Success
from warren.metrics import recording
from warren.telemetry import tracing

if TYPE_CHECKING:  # it needs the models, and Celery may want the task class before Django has them
    from warren.delivery.results import JobBackend


class JobTask(DjangoTask[..., Any]):
    """What `@shared_task` makes.

    `arguments` is a DRF serializer class for what may be passed from outside; a task without one cannot be called
    over HTTP. `transactional` runs the body in the transaction that stores its outcome: its database effects
    happen exactly once, and only those; such a body should be short, and wait for nobody. `durable=False` is for
    much work that may be lost: it goes straight to the broker, and nothing is stored (`losable.py`).
    """

    abstract = True
    Request = "warren.delivery.request:JobRequest"
    arguments: Any = None
    transactional: bool = False
    durable: bool = True
    backend: "JobBackend"
    _queue: str | None = None

    @classmethod
    def bind(cls, app: Celery) -> Celery:
        """Keep `@shared_task(queue=...)`, which Celery deprecates in favour of a routing table far from the task."""
        if isinstance(declared := cls.__dict__.get("queue"), str):
            cls._queue = declared
            del cls.queue
        if not cls.durable:
            if cls.arguments or cls.transactional:
                raise ImproperlyConfigured(
                    f"task {cls.name}: durable=False excludes transactional, and arguments (what the API takes is kept)"
                )
            cls.ignore_result = True
        return super().bind(app)

    @property
    def queue(self) -> str | None:
        """The queue that the task was declared with; None is the default queue."""
        return self._queue

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the body; inside a worker only if this delivery wins the job. Raises `Ignore` for a duplicate."""
        request: Any = self.request
        if request.called_directly:
            return super().__call__(*args, **kwargs)
        if request.is_eager:
            return self.run(*args, **kwargs)
        if not self.durable and getattr(request, losable.HEADER, False):
            return self._run_body(args, kwargs)  # there is no job to claim or finish
        batch = batches.current
        request.update(job_attempt=(batch and batch.start(request.id)) or claim.take(self))
        return self._run_in_transaction(args, kwargs) if self.transactional else self._run_plainly(args, kwargs)

    def _run_plainly(self, args: Any, kwargs: Any) -> Any:
        try:
            result = self._run_body(args, kwargs)
            places.leave()
            claim.patiently(lambda: self._finish(result))
        except DatabaseUnreachableError as exc:
            raise Reject(exc, requeue=True) from exc
        except CancelledError:
            raise
        except Ignore:
            claim.patiently(self._let_go)
            raise
        except Retry as exc:
            _send_retry(exc)
            raise
        except (OperationalError, InterfaceError) as exc:
            if connection.is_usable():
                raise
            raise Reject(exc, requeue=True) from exc
        return result

    def _run_body(self, args: Any, kwargs: Any) -> Any:
        began_at = time.monotonic()
        try:
            return self._run_as_a_task(args, kwargs)
        finally:
            recording.ran(self.name, _queue_of(self.request), seconds=time.monotonic() - began_at)
            if batches.current is None:
                recording.flush_runs()

    def _run_as_a_task(self, args: Any, kwargs: Any) -> Any:
        try:
            with tracing.span("body"):
                return self.run(*args, **kwargs)
        except MemoryError as exc:
            # a failure of this task; Celery would take it for one of the worker's main process, and end that
            raise OutOfMemoryError(f"{self.name} wanted more memory than there is") from exc
        except (SystemExit, KeyboardInterrupt) as exc:
            if terminate_handler_fired():
                raise  # not the body's: a prefork child was told to end
            # a failure too; Celery's pools would end their process, or in greenlets and threads answer to nobody
            raise ExitError(f"{self.name} raised {exc!r}: a task ends by returning, or by an ordinary error") from exc

    def _run_in_transaction(self, args: Any, kwargs: Any) -> Any:
        result: Any = None
        let_go: Ignore | None = None
        try:
            with transaction.atomic():
                try:
                    result = self._run_body(args, kwargs)
                except CancelledError:
                    raise  # and roll back
                except Ignore as exc:
                    let_go = exc  # what replaces it, under the same id, stands in the outbox: commit it
                    self._let_go()
                else:
                    self._finish(result)
        except Retry as exc:
            _send_retry(exc)
            raise
        except (OperationalError, InterfaceError) as exc:
            raise Reject(exc, requeue=True) from exc  # all of it was rolled back, or all committed: the claim will see
        if let_go:
            raise let_go
        return result

    def on_replace(self, sig: Any) -> Any:
        """Celery's: send what replaces this job. Raises `Ignore`."""
        self.request.update(job_replaced=True)
        on_final.hand_on(sig, request=self.request)
        return super().on_replace(sig)

    def _let_go(self) -> None:
        """The body raised `Ignore`: another has the job now, or it wants no result and nothing to follow."""
        request: Any = self.request
        if getattr(request, "job_replaced", False):
            outcomes.hand_over(request.id, attempt=request.job_attempt)
            return
        with final_call.transaction_for(request):
            if outcomes.succeed(Success(request.id, request.job_attempt, "null")):
                final_call.send(request, job_id=request.id)

    def _finish(self, result: Any) -> None:
        """Store the outcome and send what follows from it, or neither. Raises `Ignore` if the attempt was lost."""
        request: Any = self.request
        text = self.backend.storable(result)
        kept = "null" if get_actual_ignore_result(self, request) else text
        success = Success(request.id, request.job_attempt, kept)
        followed = request.callbacks or request.chain or request.chord or on_final.wanted_by(request)
        batch = batches.current
        if batch and request.id in batch.claims and not followed and not self.transactional:
            batch.add(success)
        else:
            # one statement needs no transaction around it, and saves two round trips
            with tracing.span("finish"), transaction.atomic() if followed else nullcontext():
                if not outcomes.succeed(success):
                    raise Ignore(f"attempt {request.job_attempt} of job {request.id} was lost or cancelled")
                self._send_next(result)
        # Celery's tracer would do all of this again, each in a transaction of its own
        request.update(callbacks=None, chain=None, chord=None, job_finished=True)

    def _send_next(self, result: Any) -> None:
        request: Any = self.request
        lineage: dict[str, Any] = {"parent_id": request.id, "root_id": request.root_id or request.id}
        if self.app.conf.task_inherit_parent_priority:
            lineage["priority"] = (request.delivery_info or {}).get("priority")
        for callback in request.callbacks or ():
            signature(callback, app=self.app).apply_async((result,), **lineage)
        if request.chain:
            *rest, following = request.chain
            signature(following, app=self.app).apply_async((result,), chain=rest, **lineage)
        if request.chord:
            self.backend.on_chord_part_return(request, "SUCCESS", result)
        final_call.send(request, job_id=request.id)


def _queue_of(request: Any) -> str:
    """Where its message came from; one that is called by a test came from nowhere."""
    return str((request.delivery_info or {}).get("routing_key") or "")


def _send_retry(retry: Retry) -> None:
    """Once more: the one that `retry` sent may have been rolled back with a transaction of the body.

    If it was not, the job waits already, and nothing changes.
    """
    again: Any = retry
    if again.sig is not None:
        again.sig.apply_async()
