"""A web server on this machine, with every trick that a foreign one may play."""

import socket
from collections.abc import Iterator

import pytest

from warren.outbound.conftest import LocalServer, QuietHandler


class TrickyServer(LocalServer):
    """Remembers the Host headers that it saw."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.hosts: list[str] = []


class _Handler(QuietHandler):
    server: TrickyServer

    def do_GET(self) -> None:  # noqa: N802  so http.server calls it
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
        self.drip(self.server.closing)

    def _drip_body(self, _rest: str) -> None:
        self.send_response(200)
        self.end_headers()
        self.drip(self.server.closing)


@pytest.fixture
def server() -> Iterator[TrickyServer]:
    with TrickyServer().running() as running:
        yield running


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
