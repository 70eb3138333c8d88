"""Serves `/metrics` on a port of its own, which no compose file publishes.

    thread     accepts one connection after another; in the green pools a greenlet, so a task that blocks the loop keeps
               Prometheus waiting too, as it does everybody
    request    answered by a thread of its own, which ends with it; a silent client is dropped

Nothing depends on it: the health checks do not ask it, and whatever goes wrong in a request ends only that.

    port taken, or none   the process does not start, and says why: else nobody would miss the metrics until needed
    the process forks     the child closes its copy of the socket
"""

import errno
import os
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from warren.metrics.errors import MetricsPortError
from warren.metrics.exposition import Exposition

PATH = "/metrics"
HIGHEST_PORT = 65_535
CLIENT_TIMEOUT_S = 10.0
TIDY_EVERY_S = 10.0


class MetricsServer:
    """`start()` it once the process is about to work."""

    def __init__(self, exposition: Exposition, *, port: int, host: str = "0.0.0.0") -> None:  # noqa: S104  a container's
        """Take the port; 0 is none, and then nothing is served. Raises `MetricsPortError`."""
        self._exposition = exposition
        self._http = _bind(host, port) if port else None
        if self._http:
            self._http.exposition = exposition
            os.register_at_fork(after_in_child=self._http.socket.close)

    @property
    def port(self) -> int | None:
        """The port that it serves on."""
        return self._http.server_address[1] if self._http else None

    def start(self) -> None:
        """Serve until the process ends, or `stop`."""
        if self._http:
            threading.Thread(target=self._serve, args=(self._http,), name="metrics", daemon=True).start()

    def stop(self) -> None:
        """Free the port."""
        if self._http:
            self._http.socket.close()

    def _serve(self, http: "_Server") -> None:
        http.socket.settimeout(TIDY_EVERY_S)
        while http.socket.fileno() >= 0:
            try:
                request, address = http.get_request()
            except TimeoutError:
                self._exposition.tidy()
            except OSError:
                continue  # the client has left already, or `stop`
            else:
                http.process_request(request, address)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    exposition: Exposition


class _Handler(BaseHTTPRequestHandler):
    timeout = CLIENT_TIMEOUT_S
    server: _Server

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != PATH:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        text, content_type = self.server.exposition.render(self.headers.get("Accept", ""))
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Nobody needs a line for each look."""


def _bind(host: str, port: int) -> _Server:
    if not 0 < port <= HIGHEST_PORT:
        raise MetricsPortError(f"METRICS_PORT={port}: a port is 1 to {HIGHEST_PORT}; 0 serves no metrics")
    try:
        return _Server((host, port), _Handler)
    except OSError as exc:
        why = "is taken by another process here" if exc.errno == errno.EADDRINUSE else f"cannot be used: {exc.strerror}"
        raise MetricsPortError(f"METRICS_PORT={port} {why}; choose a free one, or 0 for no metrics") from exc
