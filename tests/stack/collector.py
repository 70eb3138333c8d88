"""A collector for tests: takes traces by OTLP/HTTP (https://opentelemetry.io/docs/specs/otlp/#otlphttp) and keeps them.

In a container of its own, `python collector.py PORT` answers GET /spans with what it has, as JSON.
"""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue


@dataclass(frozen=True)
class Span:
    """One span; ids in hexadecimal, a missing parent is ""."""

    name: str
    trace_id: str
    span_id: str
    parent_span_id: str
    attributes: dict[str, Any]
    resource: dict[str, Any]


@dataclass(frozen=True)
class Received:
    """One request; names of headers in small letters."""

    path: str
    headers: dict[str, str]
    spans: list[Span]


@dataclass
class Collector:
    """What came, in that order."""

    url: str = ""
    received: list[Received] = field(default_factory=list)

    @property
    def spans(self) -> list[Span]:
        return [span for each in self.received for span in each.spans]

    @classmethod
    @contextmanager
    def listening(cls) -> Iterator["Collector"]:
        """One that listens on a port of this machine's own for the block."""
        collector = cls()
        server = collector.server("127.0.0.1", 0)
        collector.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def server(self, host: str, port: int) -> ThreadingHTTPServer:
        """An HTTP server that fills this collector."""
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                collector.received.append(Received(self.path, headers, _spans_of(body)))
                self._answer(b"")

            def do_GET(self) -> None:
                self._answer(json.dumps([asdict(span) for span in collector.spans]).encode())

            def _answer(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        server = ThreadingHTTPServer((host, port), Handler)
        server.daemon_threads = True
        return server


def _spans_of(body: bytes) -> list[Span]:
    message = ExportTraceServiceRequest.FromString(body)
    return [
        Span(
            name=span.name,
            trace_id=span.trace_id.hex(),
            span_id=span.span_id.hex(),
            parent_span_id=span.parent_span_id.hex(),
            attributes={each.key: _plain(each.value) for each in span.attributes},
            resource={each.key: _plain(each.value) for each in group.resource.attributes},
        )
        for group in message.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    ]


def _plain(value: AnyValue) -> Any:
    return getattr(value, value.WhichOneof("value") or "string_value")


if __name__ == "__main__":
    Collector().server("0.0.0.0", int(sys.argv[1])).serve_forever()  # noqa: S104  of its container
