"""A web server on this machine, with every trick that a foreign one may play."""

import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import override

import pytest


class TrickyServer(ThreadingHTTPServer):
    """Remembers the Host headers that it saw; `closing` ends whatever it still sends."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hosts: list[str] = []
        self.closing = Event()

    def url(self, path: str, *, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server_port}/{path}"

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up early are what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: TrickyServer

    def do_GET(self) -> None:
        self.server.hosts.append(self.headers["Host"])
        kind, _, rest = self.path[1:].partition("/")
        getattr(self, f"_{kind}")(rest)

    def _status(self, code: str) -> None:
        self.send_response(int(code))
        self.end_headers()
        self.wfile.write(b"hello")

    def _bytes(self, size: str) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(int(size) // 100_000):
            self.wfile.write(b"x" * 100_000)

    def _redirect(self, target: str) -> None:
        self.send_response(302)
        self.send_header("Location", target)
        self.end_headers()
        self.wfile.write(b"x" * 100)

    def _loop(self, _rest: str) -> None:
        self._redirect("/loop/")

    def _drip_head(self, _rest: str) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        self._drip()

    def _drip_body(self, _rest: str) -> None:
        self.send_response(200)
        self.end_headers()
        self._drip()

    def _drip(self) -> None:
        while not self.server.closing.wait(0.05):
            self.wfile.write(b"x")
            self.wfile.flush()

    def log_message(self, *_args: object) -> None:
        """Keep the tests' output readable."""


@pytest.fixture
def server() -> Iterator[TrickyServer]:
    with TrickyServer() as running:
        thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.closing.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
