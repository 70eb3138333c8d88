"""What tests of traces share, here and in the layers above."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.test import Client
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext

from warren.telemetry import tracing
from warren.telemetry.otel import starting
from warren.telemetry.otel.exporting import BoundedExport


class Spans(list[ReadableSpan]):
    """All that ended, in that order."""

    def named(self, start: str) -> list[ReadableSpan]:
        """Those whose name begins so."""
        return [span for span in self if span.name.startswith(start)]

    def one(self, start: str) -> ReadableSpan:
        """The only one whose name begins so."""
        (only,) = self.named(start)
        return only

    @property
    def traces(self) -> set[str]:
        return {f"{ids(span).trace_id:032x}" for span in self}


type Ended = Callable[[], Spans]


def ids(span: ReadableSpan) -> SpanContext:
    context = span.get_span_context()
    assert context is not None
    return context


def is_child(span: ReadableSpan, parent: ReadableSpan) -> bool:
    return span.parent is not None and span.parent.span_id == ids(parent).span_id


@contextmanager
def recording() -> Iterator[Ended]:
    """Trace what is done in the block, until the spans are asked for."""
    exporter = InMemorySpanExporter()
    tracer = starting.over(BoundedExport(exporter))

    def stop() -> Spans:
        tracer.stop(timeout_s=10)
        return Spans(exporter.get_finished_spans())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tracing, "active", tracer)
        yield stop
    tracer.stop(timeout_s=10)


@pytest.fixture
def ended() -> Iterator[Ended]:
    """Traces what the test does; stops when it is asked what that gave."""
    with recording() as stop:
        yield stop


@pytest.fixture
def web(plain_site: None) -> Client:  # noqa: ARG001  it is there first
    """A client of the site."""
    return Client()
