"""A receiver on this machine, which answers as it is told, and a job whose end it is told of."""

import json
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from celery.app import app_or_default
from celery.app.trace import build_tracer
from pytest_django import Settings

from warren.delivery.models import Job, OutboxMessage
from warren.outbound.conftest import LocalServer, QuietHandler

SECRET = "s" * 40
TLS_NAME = "receiver.example"


@dataclass(frozen=True)
class Received:
    """One call, as the receiver saw it."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> Any:
        return json.loads(self.body)


@dataclass
class Script:
    """What to answer: the statuses in order, the last one for ever; with these headers, slowly or at length."""

    statuses: list[int] = field(default_factory=lambda: [200])
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"thanks"
    drips: bool = False


class Receiver(LocalServer):
    """Remembers what it received."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.received: list[Received] = []
        self.script = Script()
        self.sent_bytes = 0


class _Handler(QuietHandler):
    server: Receiver

    def do_POST(self) -> None:  # noqa: N802  so http.server calls it
        server, script = self.server, self.server.script
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.received.append(Received(self.path, dict(self.headers.items()), body))
        if script.drips:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            self.drip(server.closing)
            return
        self.send_response(script.statuses[min(len(server.received), len(script.statuses)) - 1])
        for name, value in script.headers.items():
            self.send_header(name, value)
        self.end_headers()
        for start in range(0, len(script.body), 4096):
            self.wfile.write(script.body[start : start + 4096])
            server.sent_bytes += 4096


@pytest.fixture(autouse=True)
def _installation(settings: Settings) -> None:
    settings.WEBHOOK_SECRETS = [SECRET]
    settings.WEBHOOK_RECEIVERS = []
    settings.PUBLIC_URL = "https://warren.example"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().running() as running:
        yield running


@pytest.fixture
def tls_receiver(certificate: Path) -> Iterator[Receiver]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    server = Receiver()
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with server.running() as running:
        yield running


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key and a certificate for `TLS_NAME`, signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={TLS_NAME}"]
    command += ["-addext", f"subjectAltName=DNS:{TLS_NAME}", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)  # noqa: S603  the test's own words
    return folder


@pytest.fixture
def run_next() -> Any:
    """Runs the oldest waiting message of the outbox as a worker would; returns its job."""

    def run() -> Job:
        OutboxMessage.objects.update(available_at="2000-01-01T00:00Z")
        Job.objects.filter(finished_at__isnull=True).update(available_at="2000-01-01T00:00Z")
        message = OutboxMessage.objects.order_by("id")[0]
        message.delete()
        job = Job.objects.get(pk=message.job_id)
        args, kwargs, embed = json.loads(job.envelope.body)
        request = {
            "hostname": "worker-test@here",
            "delivery_info": {"routing_key": job.queue, "redelivered": False},
            "properties": {"message_id": ""},
            **job.envelope.headers,
            **embed,
        }
        task = current_app.tasks[job.task]
        build_tracer(task.name, task, app=app_or_default())(job.pk, args, kwargs, request)
        job.refresh_from_db()
        return job

    return run
