"""The active tracer: see `tracing.Tracer` for what it is asked, and `tracing.py` for which spans make a trace.

The relay publishes by the batch, and each message has a span of its own there, in its job's trace. One span for the
batch that links to its messages would stand in a trace of its own: who looks at a job would not see when it was
published, or that it was refused. It costs a span for a message that is sampled, and nothing for the others.
"""

import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, cast

from celery.exceptions import TaskPredicate
from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Span, SpanKind, Tracer

from warren.telemetry.otel import hooks, messages, sql
from warren.telemetry.otel.batches import BatchTrace
from warren.telemetry.otel.exporting import BoundedExport
from warren.telemetry.otel.requests import RequestSpan
from warren.telemetry.tracing import Sent

_UNDERWAY = "telemetry_span"  # of a Celery request: its span, and what was current before
_CELERY_FAILED = "FAILURE"


class OTelTracer:
    """Implements `tracing.Tracer`."""

    def __init__(self, *, provider: TracerProvider, tracer: Tracer, export: BoundedExport, system: str) -> None:
        self.provider = provider
        self._tracer = tracer
        self._export = export
        self._system = system
        sql.use(tracer)

    def ids(self) -> tuple[str, str] | None:
        """See `tracing.Tracer`."""
        here = trace.get_current_span().get_span_context()
        return (trace.format_trace_id(here.trace_id), trace.format_span_id(here.span_id)) if here.is_valid else None

    @contextmanager
    def span(self, name: str, attributes: Mapping[str, Any]) -> Iterator[None]:
        """See `tracing.Tracer`."""
        with self._tracer.start_as_current_span(
            name, attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as made:
            try:
                yield
            except TaskPredicate:  # no error: Retry, Ignore, Reject
                raise
            except Exception as exc:
                messages.fail(made, kind=type(exc).__name__)
                raise

    def outgoing(self) -> dict[str, str]:
        """See `tracing.Tracer`."""
        return messages.headers_of()

    def created(self, *, job_id: str, task: str, queue: str) -> dict[str, str]:
        """See `tracing.Tracer`."""
        told = self._about("create", "create", queue=queue, job_id=job_id, task=task)
        span = self._tracer.start_span(f"create {queue}", kind=SpanKind.PRODUCER, attributes=told)
        span.end()
        return messages.headers_of(trace.set_span_in_context(span))

    @contextmanager
    def continued(self, headers: Mapping[str, Any]) -> Iterator[None]:
        """See `tracing.Tracer`."""
        token = contexts.attach(messages.context_of(headers))
        try:
            yield
        finally:
            contexts.detach(token)

    def sent(self, sent: Sequence[Sent], *, since_ns: int) -> None:
        """See `tracing.Tracer`."""
        now_ns = time.time_ns()
        for each in sent:
            if (context := _recorded(each.headers)) is not None:
                self._note_sent(each, context, len(sent), begun_ns=since_ns, ended_ns=now_ns)

    def batch(self, requests: Mapping[str, Mapping[str, Any]]) -> BatchTrace:
        """See `tracing.Tracer`."""
        found = {job_id: context for job_id, told in requests.items() if (context := _recorded(told)) is not None}
        return BatchTrace(self._tracer, found, size=len(requests))

    def request(
        self, *, method: str, path: str, scheme: str, headers: Mapping[str, str]
    ) -> AbstractContextManager[RequestSpan]:
        """See `tracing.Tracer`."""
        return RequestSpan.of(self._tracer, method=method, path=path, scheme=scheme, headers=headers)

    def cursor[Cursor](self, kind: type[Cursor]) -> type[Cursor]:
        """See `tracing.Tracer`."""
        return cast("type[Cursor]", sql.traced(cast("Hashable", kind)))

    def stop(self, *, timeout_s: float) -> None:
        """See `tracing.Tracer`."""
        hooks.disconnect()
        sql.use(None)
        self._export.stop(timeout_s=timeout_s)

    def begin_job(self, *, task: Any, **_signal: Any) -> None:
        """Celery's `task_prerun`: claim, body and finish are within this span, and what follows from a failure."""
        request = task.request
        if request.is_eager:
            return
        queue = (request.delivery_info or {}).get("routing_key") or ""
        context = messages.context_of(vars(request))  # not what is current: a greenlet is begun by another job's
        span = self._tracer.start_span(
            f"process {queue}",
            context=context,
            kind=SpanKind.CONSUMER,
            attributes=self._about("process", "process", queue=queue, job_id=request.id, task=task.name),
        )
        token = contexts.attach(trace.set_span_in_context(span, context))
        vars(request)[_UNDERWAY] = span, token

    def end_job(self, *, task: Any, state: str | None = None, retval: Any = None, **_signal: Any) -> None:
        """Celery's `task_postrun`."""
        span, token = vars(task.request).pop(_UNDERWAY, (None, None))
        if span is None:
            return
        contexts.detach(token)
        span.set_attribute("celery.state", str(state))
        if attempt := getattr(task.request, "job_attempt", None):
            span.set_attribute("warren.attempt", attempt)
        if state == _CELERY_FAILED:
            messages.fail(span, kind=type(retval).__name__)
        span.end()

    def on_connection(self, *, connection: Any, **_signal: Any) -> None:
        """Django's `connection_created`: what the connection asks Postgres is in the trace."""
        driver = connection.connection
        if driver is not None:
            driver.cursor_factory = sql.traced(driver.cursor_factory)

    def _note_sent(self, sent: Sent, context: Context, together: int, *, begun_ns: int, ended_ns: int) -> None:
        told = self._about("send", "send", queue=sent.queue, job_id=sent.job_id)
        told |= {"messaging.message.id": sent.message_id, "messaging.batch.message_count": together}
        # not a producer: the message was made when it was accepted, and its span is what follows from it
        span: Span = self._tracer.start_span(
            f"send {sent.queue}", context=context, kind=SpanKind.CLIENT, attributes=told, start_time=begun_ns
        )
        if sent.refused is not None:
            messages.fail(span, kind="refused")
        span.end(ended_ns)

    def _about(self, operation: str, kind: str, *, queue: str, job_id: str, task: str = "") -> dict[str, Any]:
        return messages.attributes(
            system=self._system, operation=operation, kind=kind, queue=queue, job_id=job_id, task=task
        )


def _recorded(headers: Mapping[str, Any]) -> Context | None:
    """The context that the headers tell of, if its trace is recorded."""
    context = messages.context_of(headers)
    return context if trace.get_current_span(context).get_span_context().trace_flags.sampled else None
