"""The traces of jobs that a prefork child claims and stores together.

Each job's trace gets a span of the step, of the same time for all. The statement can be in one trace only: the first
job's; the others' spans link to that.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, Tracer


class BatchTrace:
    """Implements `tracing.Batch` for the jobs of it that are recorded; `size` counts all."""

    def __init__(self, tracer: Tracer, recorded: Mapping[str, Context], *, size: int) -> None:
        self._tracer = tracer
        self._recorded = recorded
        self._size = size

    @contextmanager
    def step(self, name: str, job_ids: Sequence[str]) -> Iterator[None]:
        """See `tracing.Batch`."""
        contexts = [self._recorded[job_id] for job_id in job_ids if job_id in self._recorded]
        if not contexts:
            yield
            return
        first = self._start(name, contexts[0])
        others = [self._start(name, each, to=first) for each in contexts[1:]]
        try:
            with trace.use_span(first, record_exception=False, set_status_on_exception=False):
                yield
        finally:
            for span in (first, *others):
                span.end()

    def _start(self, name: str, context: Context, *, to: Span | None = None) -> Span:
        links = [Link(to.get_span_context())] if to else []
        told = {"messaging.batch.message_count": self._size}
        return self._tracer.start_span(name, context=context, links=links, attributes=told)
