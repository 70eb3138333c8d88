"""The way to the collector: by real sockets, and when there is no collector."""

import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial

import pytest
from django.test import override_settings
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from tests.stack.collector import Collector
from warren.telemetry import tracing
from warren.telemetry.otel import starting
from warren.telemetry.otel.exporting import BoundedExport

type WaitUntil = Callable[[Callable[[], bool]], None]


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector.listening() as made:
        yield made


@pytest.fixture(autouse=True)
def _stopped() -> Iterator[None]:
    yield
    tracing.stop()


def _closed_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(condition: Callable[[], bool], *, within_s: float = 10) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"the condition did not come true within {within_s} s"
        time.sleep(0.02)


def _has_dropped(export: BoundedExport, count: int) -> bool:
    return export.dropped == count


class Failing(SpanExporter):
    """As long as it is told."""

    def __init__(self, *, takes_s: float = 0.0) -> None:
        self._takes_s = takes_s
        self.fails = True

    def export(self, _spans: object) -> SpanExportResult:
        time.sleep(self._takes_s)
        return SpanExportResult.FAILURE if self.fails else SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        pass


def test_spans_reach_the_collector_with_the_headers_and_who_speaks(collector: Collector) -> None:
    with override_settings(
        OTEL_EXPORTER_OTLP_ENDPOINT=f"{collector.url}/",
        OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20a%3Db, x-tenant=7",
        OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=test",
        OTEL_SERVICE_NAME="worker-io",
    ):
        tracing.start()
        with tracing.span("outer"), tracing.span("inner"):
            pass
        tracing.stop()

    (received,) = collector.received
    assert (received.path, received.headers["authorization"], received.headers["x-tenant"]) == (
        "/v1/traces",
        "Bearer a=b",
        "7",
    )
    inner, outer = collector.spans
    assert (inner.name, outer.name, inner.parent_span_id) == ("inner", "outer", outer.span_id)
    assert (inner.resource["service.name"], inner.resource["deployment.environment.name"]) == ("worker-io", "test")


def test_spans_are_sent_while_the_process_goes_on(collector: Collector) -> None:
    with override_settings(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url):
        tracing.start()
        with tracing.span("step"):
            pass

        _wait(lambda: len(collector.spans) == 1)


def test_an_unreachable_collector_slows_nobody_and_is_given_up_in_time() -> None:
    with override_settings(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{_closed_port()}"):
        tracing.start()
        begun = time.perf_counter()
        for _ in range(2000):
            with tracing.span("step"):
                pass
        took_s = time.perf_counter() - begun

        begun = time.perf_counter()
        tracing.stop()
        stopped_s = time.perf_counter() - begun

    assert took_s < 5, "two thousand spans take a tenth of that"
    assert stopped_s < tracing.STOP_S + 1


def test_a_collector_that_never_answers_is_given_up_in_time() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as deaf:
        endpoint = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with override_settings(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint):
            tracing.start()
            with tracing.span("step"):
                pass
            begun = time.perf_counter()
            tracing.stop()

    assert time.perf_counter() - begun < tracing.STOP_S + 1


def test_over_its_bound_spans_are_dropped_and_counted(span: ReadableSpan) -> None:
    export = BoundedExport(Failing(takes_s=0.5), most_waiting=10)

    for _ in range(100):
        export.on_end(span)

    assert export.dropped == 90
    export.stop(timeout_s=5)
    assert export.dropped == 100


def test_drops_are_logged_once_and_again_after_a_while_with_their_number(
    caplog: pytest.LogCaptureFixture, span: ReadableSpan
) -> None:
    exporter = Failing()
    export = BoundedExport(exporter, most_waiting=600, say_every_s=1.5)
    with caplog.at_level(logging.WARNING, logger="warren.telemetry"):
        for number in range(1, 4):
            for _ in range(512):  # a batch: sent at once
                export.on_end(span)
            _wait(partial(_has_dropped, export, 512 * number))
        _wait(lambda: len(caplog.records) == 1)
        first = caplog.records[0].getMessage()

        _wait(lambda: len(caplog.records) == 2)

    assert first.startswith("512 spans were dropped, jobs go on: ")
    assert caplog.records[1].getMessage().startswith("1024 spans were dropped")
    exporter.fails = False
    export.stop(timeout_s=5)
    assert len(caplog.records) == 2


@pytest.fixture
def span() -> ReadableSpan:
    ended: list[ReadableSpan] = []

    class Keep(BoundedExport):
        def on_end(self, span: ReadableSpan) -> None:
            ended.append(span)

    tracer = starting.over(Keep(Failing()))
    with tracer.span("step", {}):
        pass
    tracer.stop(timeout_s=5)
    return ended[0]
