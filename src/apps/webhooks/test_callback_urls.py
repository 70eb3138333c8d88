"""Which addresses are taken, and what of them is shown."""

from ipaddress import ip_network

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from apps.webhooks import callback_urls, receivers
from apps.webhooks.errors import CallbackUrlError
from apps.webhooks.receivers import Receivers

OUTSIDE = Receivers(ports=frozenset({443, 8443}))
INSIDE = Receivers(names=frozenset({"hooks.internal"}), networks=(ip_network("10.1.0.0/16"),), ports=frozenset({443}))


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hook?token=abc",
        "https://example.com:8443/",
        "https://8.8.8.8/",
        "https://[2606:4700:4700::1111]/hook",
        "https://bücher.example/",
    ],
)
def test_it_takes_public_addresses_by_https(url: str) -> None:
    assert callback_urls.refuse_bad(url, allowed=OUTSIDE).scheme == "https"


@pytest.mark.parametrize(
    "url",
    [
        None,
        5,
        "",
        "example.com",
        "https://",
        "https:///path",
        "https://[secret-word",
        "https://[secret-word]/",
        "https://a..b/",
        "https://%73ecret/",
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://ann:secret-word@example.com/",
        "https://ann@example.com/",
        "https://:secret-word@example.com/",
        "https://example.com/#part",
        "https://example.com:80/",
        "https://example.com:22/",
        "https://example.com:6379/",
        "https://example.com:99999/",
        "https://exa mple.com/",
        "https://example.com/\r\nX: y",
        "https://example.com\\@127.0.0.1/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/",
        "https://168.63.129.16/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://[fe80::1]/",
        "https://224.0.0.1/",
        "https://example.com/" + "x" * 2000,
    ],
)
def test_it_refuses_others_without_repeating_them(url: object) -> None:
    with pytest.raises(CallbackUrlError) as raised:
        callback_urls.refuse_bad(url, allowed=OUTSIDE)

    assert "secret-word" not in str(raised.value)
    assert "latest" not in str(raised.value)


@pytest.mark.parametrize("url", ["http://hooks.internal:9000/x", "http://HOOKS.internal/", "http://10.1.2.3:8000/"])
def test_it_takes_listed_receivers_by_http_and_at_any_port(url: str) -> None:
    callback_urls.refuse_bad(url, allowed=INSIDE)


@pytest.mark.parametrize("url", ["http://other.internal/", "http://10.2.0.1/", "https://a.hooks.internal:9000/"])
def test_it_takes_no_others_for_listed(url: str) -> None:
    with pytest.raises(CallbackUrlError):
        callback_urls.refuse_bad(url, allowed=INSIDE)


def test_it_refuses_all_when_calls_cannot_be_signed(settings: Settings) -> None:
    settings.WEBHOOK_SECRETS = []

    with pytest.raises(CallbackUrlError, match="WEBHOOK_SECRET"):
        callback_urls.checked("https://example.com/")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.com/a?token=x", "https://example.com/a?…"),
        ("https://ann:pw@example.com:8443/a#b", "https://example.com:8443/a"),
        ("https://[2606:4700::1]/", "https://[2606:4700::1]/"),
        ("https://[bad", "(no address)"),
    ],
)
def test_it_shows_neither_user_nor_query(url: str, shown: str) -> None:
    assert callback_urls.shown(url) == shown


def test_it_reads_names_and_networks(settings: Settings) -> None:
    settings.WEBHOOK_RECEIVERS = ["Hooks.Internal", " 10.1.0.0/16", "192.168.1.5", "fd00::/8"]

    found = receivers.of_settings()

    assert found.names == {"hooks.internal"}
    assert found.networks == tuple(map(ip_network, ("10.1.0.0/16", "192.168.1.5/32", "fd00::/8")))


@pytest.mark.parametrize("entry", ["10.1.0.0/33", "http://hooks.internal", "10.1.0.1/16", "10.1", "*", ""])
def test_it_names_an_entry_that_is_neither(settings: Settings, entry: str) -> None:
    settings.WEBHOOK_RECEIVERS = [entry]

    with pytest.raises(ImproperlyConfigured, match="WEBHOOK_RECEIVERS"):
        receivers.of_settings()
