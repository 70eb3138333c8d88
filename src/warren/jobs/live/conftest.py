"""What tests of live results stand on: a real gunicorn, with the product's configuration, on the test's database."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from rest_framework.authtoken.models import Token
from websockets.sync import client as websocket
from websockets.typing import Subprotocol

from warren.delivery import conftest as delivery

ROOT = Path(__file__).parents[4]
WITHIN_S = 20.0
STREAMS_PER_USER = 12

listeners_do_not_linger, wait_until = delivery.listeners_do_not_linger, delivery.wait_until

Event = tuple[str, Any]


@dataclass
class Server:
    """One gunicorn with one worker."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def stop(self) -> float:
        """Stop it as Docker does; returns the seconds that it took."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        return time.monotonic() - started


@dataclass
class Stream:
    """An open stream of Server-Sent Events."""

    response: httpx.Response
    last_id: str = ""
    retry_ms: int = 0

    def __post_init__(self) -> None:
        self._lines = self.response.iter_lines()
        self.comments = 0

    def next(self) -> Event:
        """The next event, as (name, data). Raises `StopIteration` at the end, `httpx.ReadTimeout` if none comes."""
        event: dict[str, str] = {}
        for line in self._lines:
            name, _, value = line.partition(": ")
            if line.startswith(":"):
                self.comments += 1
            elif name == "retry":
                self.retry_ms = int(value)
            elif name:
                event[name] = value
            elif "event" in event:
                self.last_id = event.get("id", self.last_id)
                return event["event"], json.loads(event["data"])
        raise StopIteration

    def states(self, count: int) -> list[str]:
        """The states of the next events, which must all be of jobs."""
        events = [self.next() for _ in range(count)]
        assert {name for name, _ in events} == {"job"}
        return [job["state"] for _, job in events]

    def rest(self) -> list[str]:
        """The names of all events that are still to come."""
        names = []
        while True:
            try:
                names.append(self.next()[0])
            except StopIteration:
                return names


@contextmanager
def _run(port: int, **environment: str) -> Iterator[Server]:
    values = {
        **os.environ,
        "POSTGRES_DB": connection.settings_dict["NAME"],
        "PYTHONPATH": f"{ROOT}/src",
        "PYTHONWARNINGS": "ignore",
        "WEB_CONCURRENCY": "1",
        "DB_POOL_SIZE": "2",
        "METRICS_PORT": "0",  # several run at once
        "STREAMS_PER_USER": str(STREAMS_PER_USER),
        **environment,
    }
    command = [sys.executable, "-m", "gunicorn", "--config", str(ROOT / "services/web/gunicorn.conf.py")]
    command += ["--bind", f"127.0.0.1:{port}", "--access-logfile", "/dev/null", "warren.config.asgi:application"]
    process = subprocess.Popen(command, env=values, cwd=ROOT / "src")  # noqa: S603  the product's own start
    try:
        _wait_until_it_answers(port)
        yield Server(port, process)
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_it_answers(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/livez", trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("gunicorn does not answer")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def shared_server(django_db_setup: None) -> Iterator[Server]:  # noqa: ARG001  it must be there first
    with _run(_free_port()) as server:
        yield server


@pytest.fixture
def server(shared_server: Server, transactional_db: None) -> Server:  # noqa: ARG001  it sees what is committed
    """A server that sees what the test commits."""
    return shared_server


@pytest.fixture
def run_server(transactional_db: None) -> Iterator[Callable[..., Server]]:  # noqa: ARG001  as for `server`
    """Start a server of the test's own, on a port of its own unless one is given."""
    with ExitStack() as stack:

        def start(port: int = 0, **environment: str) -> Server:
            return stack.enter_context(_run(port or _free_port(), **environment))

        yield start


def token_of(user: Any) -> str:
    return str(Token.objects.get_or_create(user=user)[0].key)


def let_token_expire(user: Any) -> None:
    token_of(user)
    Token.objects.filter(user=user).update(created=timezone.now() - timedelta(days=settings.TOKEN_DAYS, minutes=1))


type Follow = Callable[..., Stream]


@pytest.fixture
def follow(server: Server) -> Iterator[Follow]:
    """Open a stream as this user; closed at the end of the test."""
    with ExitStack() as stack:

        def open_stream(path: str, user: Any = None, *, at: Server = server, **headers: str) -> Stream:
            if user is not None:
                headers["Authorization"] = f"Token {token_of(user)}"
            asked = httpx.stream(
                "GET",
                f"{at.url}{path}",
                headers={"Accept": "text/event-stream", **headers},
                timeout=WITHIN_S,
                trust_env=False,
            )
            return Stream(stack.enter_context(asked))

        yield open_stream


type Connect = Callable[..., websocket.ClientConnection]


@pytest.fixture
def connect(server: Server) -> Iterator[Connect]:
    """Open a WebSocket as this user; closed at the end of the test."""
    with ExitStack() as stack:

        def open_socket(
            path: str,
            user: Any = None,
            *,
            at: Server = server,
            origin: Any = None,
            offers: tuple[str, ...] = (),
            **headers: str,
        ) -> websocket.ClientConnection:
            if user is not None:
                headers["Authorization"] = f"Token {token_of(user)}"
            opened = websocket.connect(
                f"{at.socket_url}{path}",
                additional_headers=headers,
                origin=origin,
                subprotocols=[Subprotocol(each) for each in offers] or None,
                proxy=None,
                open_timeout=WITHIN_S,
            )
            return stack.enter_context(opened)

        yield open_socket
