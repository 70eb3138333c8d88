"""The span of a request: https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server-span.

Without the query string, in which people put secrets, and without addresses of clients.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from opentelemetry.trace import Span, SpanKind, Tracer

from warren.telemetry.otel import messages

SERVER_ERROR = 500
# what a method may be called; anything else a client has invented
KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
OTHER = "_OTHER"


@dataclass(frozen=True)
class RequestSpan:
    """Implements `tracing.Answering`."""

    span: Span
    method: str

    @classmethod
    @contextmanager
    def of(cls, tracer: Tracer, *, method: str, path: str, scheme: str, headers: Mapping[str, str]) -> Iterator[Self]:
        """The span around the answer to a request, in the trace that its headers tell of, or in a new one."""
        method = method if method in KNOWN_METHODS else OTHER
        with tracer.start_as_current_span(
            method if method != OTHER else "HTTP",
            context=messages.context_of(headers),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method, "url.path": path, "url.scheme": scheme},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield cls(span, method)

    def answered(self, *, status: int, route: str) -> None:
        """See `tracing.Answering`."""
        self.span.set_attribute("http.response.status_code", status)
        if route:
            self.span.set_attribute("http.route", f"/{route}")
            self.span.update_name(f"{self.method if self.method != OTHER else 'HTTP'} /{route}")
        if status >= SERVER_ERROR:
            messages.fail(self.span, kind=str(status))
