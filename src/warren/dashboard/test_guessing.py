"""How often a wrong password may be tried at the login pages."""

from typing import Any

import pytest
from django.test import Client
from rest_framework.settings import api_settings
from rest_framework.throttling import ScopedRateThrottle

from warren.jobs.conftest import TwoAtOnce

pytestmark = pytest.mark.django_db

LOGINS = ("/login/", "/admin/login/")
RIGHT = "correct horse"


@pytest.fixture(autouse=True)
def _two_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ScopedRateThrottle.THROTTLE_RATES, "token", "2/hour")


def _try(path: str, user: Any, password: str, **headers: str) -> Any:
    return Client().post(path, {"username": user.email, "password": password}, headers=headers)


@pytest.mark.parametrize("path", LOGINS)
def test_too_many_wrong_passwords_must_wait(path: str, staff: Any) -> None:
    answers = [_try(path, staff, "wrong") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 3500 < int(answers[-1].headers["Retry-After"]) <= 3600
    assert "Try again in" in answers[-1].content.decode()
    assert _try(path, staff, RIGHT).status_code == 429


@pytest.mark.parametrize("path", LOGINS)
def test_wrong_passwords_that_come_together_count_each(
    path: str, two_at_once: TwoAtOnce, staff: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ScopedRateThrottle.THROTTLE_RATES, "token", "1/hour")

    assert two_at_once(lambda: int(_try(path, staff, "wrong").status_code)) == [200, 429]


def test_the_pages_count_together(staff: Any) -> None:
    statuses = [_try(path, staff, "wrong").status_code for path in (*LOGINS, *LOGINS)]

    assert statuses == [200, 200, 429, 429]


@pytest.mark.parametrize("path", LOGINS)
def test_a_right_password_does_not_count(path: str, staff: Any) -> None:
    tried = [_try(path, staff, password).status_code for password in (*[RIGHT] * 5, "wrong", RIGHT, "wrong", RIGHT)]

    assert tried == [302] * 5 + [200, 302, 200, 429]


def test_an_account_that_is_none_counts_as_well(staff: Any) -> None:
    staff.email = "nobody@example.com"

    assert [_try("/login/", staff, RIGHT).status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize(("proxies", "last"), [(0, 429), (1, 200)])
def test_the_address_is_the_one_that_our_proxies_tell(
    staff: Any, monkeypatch: pytest.MonkeyPatch, *, proxies: int, last: int
) -> None:
    monkeypatch.setattr(api_settings, "NUM_PROXIES", proxies)

    statuses = [
        _try("/login/", staff, "wrong", **{"X-Forwarded-For": f"10.0.0.{number}"}).status_code for number in range(3)
    ]

    assert statuses == [200, 200, last]


def test_looking_at_the_page_is_free(client: Client) -> None:
    assert {client.get(path).status_code for path in LOGINS for _ in range(3)} == {200}
