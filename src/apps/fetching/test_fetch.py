"""Fetching, against a real server on this machine."""

import json
import socket
import time
from threading import Event, Thread
from typing import Any

import pytest

from apps.fetching import fetch
from apps.fetching.conftest import TrickyServer
from warren.outbound import addresses


def _fetch(url: str, *, timeout_s: float = 10) -> dict[str, Any]:
    return fetch.fetch(url, allow_private=True, timeout_s=timeout_s)


@pytest.mark.parametrize("status", [200, 404, 500])
def test_it_tells_status_and_size(server: TrickyServer, status: int) -> None:
    answer = _fetch(server.url(f"status/{status}"))

    assert isinstance(answer.pop("elapsed_ms"), int)
    assert answer == {"url": server.url(f"status/{status}"), "status": status, "bytes": 5, "truncated": False}


def test_it_fetches_all_at_once_and_answers_in_order(server: TrickyServer, closed_port: int) -> None:
    urls = [
        server.url("drip_body/"),
        server.url("status/200"),
        f"http://127.0.0.1:{closed_port}/",
        server.url("drip_head/"),
    ]

    started = time.monotonic()
    answers = fetch.fetch_all(urls, allow_private=True, timeout_s=1)

    assert time.monotonic() - started < 1.9
    assert [answer["url"] for answer in answers] == urls
    assert ["error" in answer for answer in answers] == [True, False, True, True]
    assert json.dumps(answers)


@pytest.mark.parametrize("trick", ["drip_head/", "drip_body/"])
def test_it_ends_by_the_deadline_however_slowly_the_server_sends(server: TrickyServer, trick: str) -> None:
    started = time.monotonic()

    answer = _fetch(server.url(trick), timeout_s=0.5)

    assert 0.4 < time.monotonic() - started < 1.5
    assert "error" in answer


def test_it_leaves_a_look_up_behind_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "LOOK_UP_GRACE_S", 0.1)
    looked_up = Event()

    def slowly(*_args: object, **_kwargs: object) -> list[str]:
        looked_up.wait(10)
        return []

    monkeypatch.setattr(addresses, "resolve", slowly)

    [answer] = fetch.fetch_all(["http://slow.example/"], allow_private=False, timeout_s=0.1)

    assert answer == {"url": "http://slow.example/", "error": "no answer in time"}
    looked_up.set()


def test_it_cuts_large_bodies_off(server: TrickyServer) -> None:
    answer = _fetch(server.url("bytes/50000000"))

    assert (answer["status"], answer["bytes"], answer["truncated"]) == (200, fetch.MAX_BODY_BYTES, True)


def test_it_follows_a_few_redirects(server: TrickyServer) -> None:
    answer = _fetch(server.url("redirect//redirect//status/200"))

    assert (answer["status"], len(server.hosts)) == (200, 3)


def test_it_gives_up_on_a_loop(server: TrickyServer) -> None:
    answer = _fetch(server.url("loop/"))

    assert answer["error"] == f"more than {fetch.MAX_REDIRECTS} redirects"
    assert len(server.hosts) == fetch.MAX_REDIRECTS + 1


@pytest.mark.parametrize("target", ["ftp://example.com/", "file:///etc/passwd", "http://["])
def test_it_follows_no_redirect_to_something_else(server: TrickyServer, target: str) -> None:
    assert "error" in _fetch(server.url(f"redirect/{target}"))
    assert len(server.hosts) == 1


def test_it_refuses_private_addresses(server: TrickyServer) -> None:
    answer = fetch.fetch(server.url("status/200", host="localhost"), allow_private=False)

    assert answer["error"] == "'localhost' leads to no public address"
    assert server.hosts == []


def test_it_checks_each_redirect(server: TrickyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "is_public", lambda address: address == "127.0.0.1")

    answer = fetch.fetch(
        server.url("redirect/" + server.url("status/200", host="127.0.0.2")), allow_private=False, timeout_s=5
    )

    assert answer["error"] == "'127.0.0.2' leads to no public address"


def test_it_connects_to_the_address_that_it_checked(server: TrickyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads outside when checked, and inside when asked again."""
    answers = iter(["127.0.0.1", "127.0.0.2"])
    asked = socket.getaddrinfo

    def rebinding(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        return asked(next(answers) if host == "rebind.example" else host, port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(addresses, "is_public", lambda address: address == "127.0.0.1")

    answer = fetch.fetch(server.url("status/200", host="rebind.example"), allow_private=False, timeout_s=5)

    assert answer["status"] == 200
    assert server.hosts == [f"rebind.example:{server.server_port}"]
    assert next(answers) == "127.0.0.2"


def test_it_tries_the_next_address(server: TrickyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "resolve", lambda *_args, **_kwargs: ["127.0.0.9", "127.0.0.1"])

    assert _fetch(server.url("status/200", host="two.example"))["status"] == 200


def test_it_names_the_host_to_a_tls_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "resolve", lambda *_args, **_kwargs: ["127.0.0.1"])
    greetings: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=lambda: greetings.append(_first_bytes(listener)))
        thread.start()
        answer = _fetch(f"https://named.example:{listener.getsockname()[1]}/")
        thread.join()

    assert "error" in answer
    assert b"named.example" in greetings[0]


def test_it_uses_no_proxy_of_the_environment(
    server: TrickyServer, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port}")

    assert _fetch(server.url("status/200"))["status"] == 200


def _first_bytes(listener: socket.socket) -> bytes:
    connection, _ = listener.accept()
    with connection:
        return connection.recv(4096)
