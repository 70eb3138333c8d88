"""Signatures, as a receiver checks them, and the secrets behind them."""

import hashlib
import hmac
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from pytest_django import Settings

from apps.webhooks import signing, signing_secrets
from apps.webhooks.conftest import SECRET

OTHER = "o" * 40


def test_it_signs_moment_and_body_by_each_secret() -> None:
    header = signing.header(b'{"a":1}', secrets=["one", "two"], at=1764000000)

    moment, *signatures = header.split(",")
    expected = [hmac.new(key, b'1764000000.{"a":1}', hashlib.sha256).hexdigest() for key in (b"one", b"two")]
    assert moment == "t=1764000000"
    assert signatures == [f"v1={each}" for each in expected]


def test_users_cannot_know_each_others_secrets() -> None:
    secrets = [signing_secrets.of_user(user_id) for user_id in (1, 2, None)]

    assert len({tuple(each) for each in secrets}) == 3
    assert all(SECRET not in each[0] for each in secrets)
    assert signing_secrets.of_user(1) == secrets[0]


def test_while_the_secret_is_changed_there_are_two(settings: Settings) -> None:
    before = signing_secrets.of_user(1)

    settings.WEBHOOK_SECRETS = [OTHER, SECRET]

    after = signing_secrets.of_user(1)
    assert after[1:] == before
    assert after[0] != before[0]


def test_a_secret_that_could_be_guessed_stops_the_start(settings: Settings) -> None:
    settings.WEBHOOK_SECRETS = ["short"]

    with pytest.raises(ImproperlyConfigured, match="WEBHOOK_SECRET"):
        signing_secrets.refuse_weak()


@pytest.mark.django_db
def test_the_command_prints_them(capsys: pytest.CaptureFixture[str], user: object) -> None:
    call_command("webhook_secret", "ann@example.com")
    of_ann = capsys.readouterr().out.split()
    call_command("webhook_secret")

    assert of_ann == signing_secrets.of_user(user.pk)  # type: ignore[attr-defined]  # a user
    assert capsys.readouterr().out.split() == signing_secrets.of_user(None)
    with pytest.raises(CommandError, match="there is no user"):
        call_command("webhook_secret", "nobody@example.com")


def test_the_docs_code_for_receivers_knows_a_genuine_call() -> None:
    page = (Path(__file__).parents[3] / "docs/how-to/webhooks.md").read_text()
    code: dict[str, Any] = {}
    exec(next(block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "is_genuine" in block), code)  # noqa: S102  our own docs
    is_genuine = code["is_genuine"]
    header, body = signing.header(b"{}", secrets=["new", "old"], at=1764000000), b"{}"

    assert is_genuine(header, body, ["old"], now=1764000000 + 299)
    assert is_genuine(header, body, ["x", "new"], now=1764000000 - 299)
    assert not is_genuine(header, body, ["x"], now=1764000000)
    assert not is_genuine(header, b"{ }", ["new"], now=1764000000)
    assert not is_genuine(header, body, ["new"], now=1764000000 + 301)
    assert not is_genuine(header.replace("t=1764000000", "t=1764000001"), body, ["new"], now=1764000000)
    for wrong in ("", "t=,v1=", "v1=aa", "t=soon,v1=aa", "t=1764000000,v1=ä"):
        assert not is_genuine(wrong, body, ["new"], now=1764000000)
