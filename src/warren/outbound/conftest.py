"""A web server on this machine, for tests of calls to foreign ones: as slow as it likes, and gone with its test."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Self, override


class LocalServer(ThreadingHTTPServer):
    """On a free port of 127.0.0.1; `closing` ends whatever it still sends."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.closing = Event()

    def url(self, path: str = "", *, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.server_port}/{path}"

    @contextmanager
    def running(self) -> Iterator[Self]:
        """It answers inside the block."""
        with self:
            thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            yield self
            self.closing.set()
            self.shutdown()
            thread.join()

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up early are what the tests are about."""


class QuietHandler(BaseHTTPRequestHandler):
    """Keeps the tests' output readable."""

    def log_message(self, *_args: object) -> None:
        pass

    def drip(self, closing: Event) -> None:
        """Send for ever, a byte at a time."""
        while not closing.wait(0.05):
            self.wfile.write(b"x")
            self.wfile.flush()
