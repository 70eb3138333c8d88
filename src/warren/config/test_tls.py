import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from celery import Celery
from django.db import connection

from warren.config import tls
from warren.delivery import direct, wire

NEW_KEY = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
SAN = "subjectAltName=DNS:rabbitmq"
NOWHERE = {"ca": "", "cert": "", "key": ""}


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """An authority `ca.crt`, and a certificate of its that says `rabbitmq`."""
    sign = ["x509", "-req", "-in", "tls.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-copy_extensions", "copy"]
    for command in (
        [*NEW_KEY, "-x509", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.crt"],
        [*NEW_KEY, "-subj", "/CN=rabbitmq", "-addext", SAN, "-keyout", "tls.key", "-out", "tls.csr"],
        [*sign, "-out", "tls.crt", "-days", "2"],
    ):
        subprocess.run(["openssl", *command], cwd=tmp_path, check=True, capture_output=True)  # noqa: S603, S607  ours
    return tmp_path


@pytest.fixture
def server(certificates: Path) -> Iterator[tuple[int, list[Any]]]:
    """A port where TLS is spoken by `rabbitmq`, and the certificates that clients showed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "tls.crt", certificates / "tls.key")
    context.load_verify_locations(certificates / "ca.crt")
    context.verify_mode = ssl.CERT_OPTIONAL
    shown: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_serve, args=(listening, context, shown), daemon=True)
        thread.start()
        yield listening.getsockname()[1], shown
    thread.join(5)


def _serve(listening: socket.socket, context: ssl.SSLContext, shown: list[Any]) -> None:
    while True:
        try:
            accepted, _ = listening.accept()
        except OSError:
            return
        try:
            with context.wrap_socket(accepted, server_side=True) as secured:
                shown.append(secured.getpeercert())
        except OSError:
            accepted.close()


def _shake_hands(name: str, port: int, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Connect as py-amqp does, to an address of this name."""
    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _host, *rest: resolve("127.0.0.1", *rest))
    transport = wire.Connection(f"{name}:{port}", ssl=options).Transport(f"{name}:{port}", 5, options, 5, 5)
    try:
        transport._connect(name, port, 5)
        transport._setup_transport()
    finally:
        if transport.sock is not None:
            transport.sock.close()


def test_nothing_is_encrypted_when_no_authority_is_named() -> None:
    assert tls.for_postgres(**NOWHERE) == {}
    assert tls.for_broker(**NOWHERE) is None


def test_postgres_must_prove_its_name() -> None:
    assert tls.for_postgres(ca="/ca", cert="", key="") == {"sslmode": "verify-full", "sslrootcert": "/ca"}
    assert tls.for_postgres(ca="/ca", cert="/c", key="/k") == {
        "sslmode": "verify-full",
        "sslrootcert": "/ca",
        "sslcert": "/c",
        "sslkey": "/k",
    }


def test_a_connection_beside_django_s_is_as_safe(certificates: Path) -> None:
    known = connection.settings_dict
    secured = tls.for_postgres(ca=str(certificates / "ca.crt"), cert="", key="")
    before, known["OPTIONS"] = known["OPTIONS"], {**known["OPTIONS"], **secured}
    try:
        # the tests' Postgres speaks no TLS
        with pytest.raises(psycopg.OperationalError, match="server does not support SSL"):
            direct.connect("test")
    finally:
        known["OPTIONS"] = before


def test_the_broker_s_name_is_verified_and_a_certificate_is_shown(
    server: tuple[int, list[Any]], certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, shown = server
    paths = {"ca": certificates / "ca.crt", "cert": certificates / "tls.crt", "key": certificates / "tls.key"}
    options = tls.for_broker(**{name: str(path) for name, path in paths.items()})
    assert options is not None

    _shake_hands("rabbitmq", port, options, monkeypatch)

    deadline = time.monotonic() + 5
    while not shown and time.monotonic() < deadline:
        time.sleep(0.01)
    assert shown
    assert shown[0]["subject"] == ((("commonName", "rabbitmq"),),)


def test_a_node_of_another_name_is_refused_and_the_options_stay_as_they_were(
    server: tuple[int, list[Any]], certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = tls.for_broker(ca=str(certificates / "ca.crt"), cert="", key="")
    assert options is not None

    with pytest.raises(ssl.SSLCertVerificationError, match="rabbitmq-2"):
        _shake_hands("rabbitmq-2", server[0], options, monkeypatch)

    _shake_hands("rabbitmq", server[0], options, monkeypatch)
    assert "server_hostname" not in options


def test_a_broker_of_an_unknown_authority_is_refused(
    server: tuple[int, list[Any]], certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = certificates / "other"
    other.mkdir()
    command = ["openssl", *NEW_KEY, "-x509", "-subj", "/CN=other", "-keyout", "k", "-out", "ca.crt"]
    subprocess.run(command, cwd=other, check=True, capture_output=True)  # noqa: S603  ours
    options = tls.for_broker(ca=str(other / "ca.crt"), cert="", key="")
    assert options is not None

    with pytest.raises(ssl.SSLCertVerificationError):
        _shake_hands("rabbitmq", server[0], options, monkeypatch)


def test_the_management_api_is_asked_with_the_same(certificates: Path) -> None:
    paths = {"ca": "ca.crt", "cert": "tls.crt", "key": "tls.key"}
    options = tls.for_broker(**{name: str(certificates / path) for name, path in paths.items()})
    assert options is not None

    made = tls.context(options)

    assert made.verify_mode is ssl.CERT_REQUIRED
    assert made.check_hostname
    assert [each["subject"] for each in made.get_ca_certs()] == [((("commonName", "authority"),),)]


def test_celery_hands_it_to_its_connections(certificates: Path) -> None:
    options = tls.for_broker(ca=str(certificates / "ca.crt"), cert="", key="")
    app = Celery("tls", set_as_current=False, broker="pyamqp://rabbitmq:5671/warren", broker_use_ssl=options)

    assert app.connection_for_write().ssl == options
