"""Which addresses may be visited."""

import socket
from ipaddress import ip_network
from typing import Any

import pytest

from warren.outbound import addresses


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.0.9",
        "0.0.0.0",  # noqa: S104  an address to refuse
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "168.63.129.16",
        "192.0.0.192",
        "192.88.99.1",
        "100.100.100.200",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "fd12:3456::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:8.8.8.8",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::808:808",
        "::ffff:169.254.169.254",
        "fd00:ec2::254",
        "3fff::1",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",
        "2002:808:808::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "100::1",
    ],
)
def test_it_refuses_what_is_not_public(address: str) -> None:
    assert not addresses.is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "172.32.0.1", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001::1"])
def test_it_lets_public_ones_pass(address: str) -> None:
    assert addresses.is_public(address)


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "::1", "0"])
def test_it_refuses_every_spelling_of_this_machine(host: str) -> None:
    with pytest.raises(addresses.NotPublicError):
        addresses.resolve(host, port=80, allow_private=False)


def test_it_refuses_a_name_that_leads_outside_and_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _answering("8.8.8.8", "10.0.0.1"))

    with pytest.raises(addresses.NotPublicError):
        addresses.resolve("tricky.example", port=80, allow_private=False)


def test_it_says_the_same_of_a_name_inside_and_of_none_and_the_log_says_which(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails(_host: str, _port: int) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    said = []
    with caplog.at_level("INFO", logger=addresses.__name__):
        for look_up in (_answering("172.18.0.5"), fails):
            with pytest.raises(addresses.NotPublicError) as refused:
                addresses.resolve("postgres", port=443, look_up=look_up)
            said.append((str(refused.value), refused.value.__cause__))

    assert said == [("'postgres' leads to no public address", None)] * 2
    assert ["172.18.0.5" in caplog.messages[0], "not known" in caplog.messages[1]] == [True, True]


def test_it_gives_each_address_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _answering("8.8.8.8", "1.1.1.1", "8.8.8.8"))

    assert addresses.resolve("example.com", port=80, allow_private=False) == ["8.8.8.8", "1.1.1.1"]


@pytest.mark.parametrize("host", ["no-such-host.invalid", "x" * 64 + ".example", "a..b"])
def test_it_says_when_a_name_leads_nowhere(host: str) -> None:
    with pytest.raises(addresses.NotPublicError):
        addresses.resolve(host, port=80, allow_private=False)


def test_it_lets_private_ones_pass_where_tests_ask_for_it() -> None:
    assert "127.0.0.1" in addresses.resolve("127.0.0.1", port=80, allow_private=True)


def test_it_visits_an_allowed_network_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = [ip_network("10.1.0.0/16")]
    monkeypatch.setattr(socket, "getaddrinfo", _answering("10.1.2.3", "8.8.8.8"))
    assert addresses.resolve("inside.example", port=80, allowed=allowed) == ["10.1.2.3", "8.8.8.8"]

    monkeypatch.setattr(socket, "getaddrinfo", _answering("10.2.0.1"))
    with pytest.raises(addresses.NotPublicError):
        addresses.resolve("inside.example", port=80, allowed=allowed)


def test_an_allowed_ipv4_network_does_not_open_its_mapped_twin() -> None:
    allowed = [ip_network("10.0.0.0/8")]

    with pytest.raises(addresses.NotPublicError):
        addresses.resolve("tricky.example", port=80, allowed=allowed, look_up=_answering("::ffff:10.0.0.1"))


def test_it_asks_the_resolver_that_it_is_given() -> None:
    assert addresses.resolve("any.example", port=80, look_up=_answering("9.9.9.9")) == ["9.9.9.9"]


def _answering(*found: str) -> Any:
    return lambda *_args, **_kwargs: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 80)) for each in found]
