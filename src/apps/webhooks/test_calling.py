"""Calls to a real server on this machine, by TLS as well, and to where no call may go."""

import socket
import ssl
import time
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from apps.webhooks import calling
from apps.webhooks.calling import Answer, Limits
from apps.webhooks.conftest import TLS_NAME, Receiver, Script
from apps.webhooks.receivers import Receivers

LOOPBACK = Receivers(networks=(ip_network("127.0.0.0/8"),), ports=frozenset({443}))
NOWHERE = Receivers(ports=frozenset({443}))
QUICK = Limits(connect_s=1, read_s=1, total_s=1, grace_s=0.5)


def _call(url: str, *, allowed: Receivers = LOOPBACK, **options: Any) -> Answer:
    return calling.call(url, body=b'{"a":1}', headers={"X-Test": "yes"}, allowed=allowed, **options)


def _leads_to(*found: str) -> Any:
    """A resolver that gives these addresses, whatever it is asked."""
    return lambda _host, port: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]


def _port(receiver: Receiver) -> frozenset[int]:
    return frozenset({receiver.server_port})


def test_it_posts_the_body(receiver: Receiver) -> None:
    answer = _call(receiver.url("hook?token=abc"))

    [received] = receiver.received
    assert (received.path, received.body, received.headers["X-Test"]) == ("/hook?token=abc", b'{"a":1}', "yes")
    assert (answer.status, answer.is_taken, answer.reason) == (200, True, "")
    assert 0 <= answer.duration_ms < 5000


@pytest.mark.parametrize(
    ("status", "taken", "final"),
    [
        (200, True, False),
        (202, True, False),
        (204, True, False),
        (400, False, False),
        (404, False, False),
        (410, False, True),
        (429, False, False),
        (500, False, False),
        (503, False, False),
    ],
)
def test_it_says_whether_the_call_was_taken(receiver: Receiver, status: int, taken: bool, final: bool) -> None:  # noqa: FBT001  pytest's
    receiver.script = Script(statuses=[status], headers={"Retry-After": "7"}, body=b"")

    answer = _call(receiver.url())

    assert (answer.status, answer.is_taken, answer.is_final, answer.retry_after) == (status, taken, final, "7")
    assert bool(answer.reason) is not taken


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_it_follows_no_redirect(receiver: Receiver, status: int) -> None:
    receiver.script = Script(statuses=[status], headers={"Location": receiver.url("other")}, body=b"")

    answer = _call(receiver.url())

    assert (answer.status, answer.is_taken) == (status, False)
    assert "redirect" in answer.reason
    assert len(receiver.received) == 1


def test_it_reads_little_of_an_endless_answer(receiver: Receiver) -> None:
    receiver.script = Script(body=b"x" * 50_000_000)

    answer = _call(receiver.url())

    assert answer.is_taken
    assert receiver.sent_bytes < 25_000_000  # what the kernel's buffers take, at most


def test_it_ends_in_time_however_slowly_the_receiver_answers(receiver: Receiver) -> None:
    receiver.script = Script(drips=True)
    started = time.monotonic()

    answer = _call(receiver.url(), limits=QUICK)

    assert 0.8 < time.monotonic() - started < 3
    assert (answer.status, answer.is_taken) == (None, False)
    assert "time" in answer.reason


def test_it_leaves_a_look_up_behind_that_takes_too_long() -> None:
    def slowly(_host: str, _port: int) -> Any:
        time.sleep(3)
        return []

    started = time.monotonic()
    answer = _call("https://slow.example/", look_up=slowly, limits=QUICK)

    assert time.monotonic() - started < 2.5
    assert answer.reason == "no answer in time"


def test_it_says_why_there_is_no_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    answer = _call(f"http://127.0.0.1:{port}/secret-path?token=abc")

    assert answer.reason.startswith("no connection")
    assert "abc" not in answer.reason
    assert "secret-path" not in answer.reason
    assert not answer.is_final


def test_it_goes_on_trying_a_name_that_leads_nowhere() -> None:
    answer = _call("https://no-such-host.invalid/")

    assert answer.reason == "'no-such-host.invalid' leads to no public address"
    assert not answer.is_final


@pytest.mark.parametrize(
    "inside", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "::1", "::ffff:127.0.0.1"]
)
def test_it_refuses_a_name_that_leads_inside(receiver: Receiver, inside: str) -> None:
    allowed = Receivers(ports=_port(receiver))

    answer = _call(receiver.url(host="tricky.example", scheme="https"), allowed=allowed, look_up=_leads_to(inside))

    assert answer.reason == "'tricky.example' leads to no public address"
    assert not answer.is_final  # as for a name that nobody knows
    assert receiver.received == []


def test_it_refuses_a_name_that_leads_outside_and_inside(receiver: Receiver) -> None:
    allowed = Receivers(ports=_port(receiver))
    both = _leads_to("8.8.8.8", "127.0.0.1")

    answer = _call(receiver.url(host="tricky.example", scheme="https"), allowed=allowed, look_up=both)

    assert answer.reason == "'tricky.example' leads to no public address"
    assert receiver.received == []


def test_it_looks_a_name_up_once_and_connects_to_what_it_checked(receiver: Receiver) -> None:
    """A name that leads to an allowed address when checked, and elsewhere when asked again."""
    answers = iter(["127.0.0.1", "127.0.0.2"])
    allowed = Receivers(names=frozenset(), networks=(ip_network("127.0.0.1/32"),), ports=_port(receiver))

    def rebinding(host: str, port: int) -> Any:
        return _leads_to(next(answers))(host, port)

    answer = calling.call(
        receiver.url(host="rebind.example", scheme="https"), body=b"{}", headers={}, allowed=allowed, look_up=rebinding
    )

    assert answer.status is None  # the receiver speaks no TLS: but it was connected to
    assert "public" not in answer.reason
    assert next(answers) == "127.0.0.2"


def test_it_refuses_what_became_forbidden_after_it_was_submitted(receiver: Receiver) -> None:
    answer = _call(receiver.url(), allowed=NOWHERE)

    assert answer.is_final
    assert answer.reason.startswith("refused")
    assert receiver.received == []


def test_by_tls_it_asks_for_the_name_and_believes_the_certificate(tls_receiver: Receiver, certificate: Path) -> None:
    trusted = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
    allowed = Receivers(networks=(ip_network("127.0.0.0/8"),), ports=_port(tls_receiver))
    here = _leads_to("127.0.0.1")
    url = tls_receiver.url(host=TLS_NAME, scheme="https")

    answer = _call(url, allowed=allowed, look_up=here, tls=trusted)

    assert (answer.status, answer.is_taken) == (200, True)
    assert tls_receiver.received[0].headers["Host"] == f"{TLS_NAME}:{tls_receiver.server_port}"


@pytest.mark.parametrize("name", ["other.example", TLS_NAME])
def test_by_tls_it_refuses_a_certificate_of_another_or_of_nobody(
    tls_receiver: Receiver, certificate: Path, name: str
) -> None:
    """The first has a certificate that is trusted, for another name; the second one that nobody vouches for."""
    trusted = ssl.create_default_context(cafile=str(certificate / "cert.pem")) if name != TLS_NAME else None
    allowed = Receivers(networks=(ip_network("127.0.0.0/8"),), ports=_port(tls_receiver))

    answer = _call(
        tls_receiver.url(host=name, scheme="https"), allowed=allowed, look_up=_leads_to("127.0.0.1"), tls=trusted
    )

    assert answer.status is None
    assert "CERTIFICATE_VERIFY_FAILED" in answer.reason
    assert tls_receiver.received == []


def test_it_uses_no_proxy_of_the_environment(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    assert _call(receiver.url()).is_taken
