"""From which pages a WebSocket may be opened."""

from typing import Any

import pytest
from pytest_django import Settings

from warren.jobs.live import origins

FORWARDED = ("HTTP_X_FORWARDED_PROTO", "https")


def _scope(host: str, *origin: str, scheme: str = "ws", **headers: str) -> dict[str, Any]:
    named = [("host", host), *(("origin", each) for each in origin)]
    named += [(name.replace("_", "-"), value) for name, value in headers.items()]
    told = [(name.encode(), value.encode("latin1")) for name, value in named]
    return {"type": "websocket", "path": "/ws/tasks/one/", "query_string": b"", "scheme": scheme, "headers": told}


@pytest.fixture(autouse=True)
def _hosts(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "[::1]", "warren.example.com"]


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8000", "http://localhost:8000"),
        ("localhost", "http://localhost"),
        ("localhost:80", "http://localhost"),
        ("LOCALHOST:8000", "http://localhost:8000"),
        ("[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_it_takes_pages_of_the_address_that_is_asked(host: str, origin: str) -> None:
    assert origins.may_open(_scope(host, origin))


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost",
        "http://localhost:8001",
        "https://localhost:8000",
        "http://warren.example.com:8000",
        "http://evil.example:8000",
        "http://localhost.evil.example:8000",
        "http://user@evil.example:8000",
        "http://localhost:99999",
        "http://localhost:port",
        "http://[::1",
        "file://",
        "localhost:8000",
        "null",
        "",
        "ü",
    ],
)
def test_it_refuses_pages_of_others_be_they_on_the_same_machine(origin: str) -> None:
    assert not origins.may_open(_scope("localhost:8000", origin))


def test_it_refuses_a_name_that_somebody_made_lead_here() -> None:
    assert not origins.may_open(_scope("evil.example:8000", "http://evil.example:8000"))


def test_it_refuses_who_says_two_things() -> None:
    assert not origins.may_open(_scope("localhost:8000", "http://localhost:8000", "http://evil.example"))


def test_it_lets_in_who_is_no_browser() -> None:
    assert origins.may_open(_scope("localhost:8000"))


@pytest.mark.parametrize("said", ["https", "wss"])
def test_behind_a_proxy_it_goes_by_what_that_forwards(settings: Settings, said: str) -> None:
    asked = _scope("warren.example.com", "https://warren.example.com", x_forwarded_proto=said)
    assert not origins.may_open(asked)  # anybody can say so

    settings.SECURE_PROXY_SSL_HEADER = FORWARDED

    assert origins.may_open(asked)
    assert not origins.may_open(_scope("warren.example.com", "http://warren.example.com", x_forwarded_proto=said))
    assert not origins.may_open(_scope("warren.example.com", "https://warren.example.com", x_forwarded_proto="ws"))


def test_by_tls_of_its_own_it_takes_pages_that_came_so() -> None:
    assert origins.may_open(_scope("localhost", "https://localhost", scheme="wss"))
    assert not origins.may_open(_scope("localhost", "http://localhost", scheme="wss"))


def test_it_takes_the_origins_that_are_trusted(settings: Settings) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://warren.example.com", "https://*.example.org:8443"]

    taken = ["https://warren.example.com", "https://warren.example.com:443", "https://a.b.example.org:8443"]
    refused = [
        "http://warren.example.com",
        "https://a.example.com",
        "https://a.example.org",
        "https://xexample.org:8443",
    ]

    assert [origins.may_open(_scope("inner:8000", each)) for each in taken] == [True] * 3
    assert [origins.may_open(_scope("inner:8000", each)) for each in refused] == [False] * 4
