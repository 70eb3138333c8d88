"""POST /api/token/."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient
from rest_framework.throttling import ScopedRateThrottle

from apps.accounts.models import User
from apps.accounts.tasks import delete_expired_tokens
from warren.jobs.conftest import TwoAtOnce

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("user")
def test_it_gives_a_token_that_opens_the_api(anybody: APIClient) -> None:
    answer = anybody.post("/api/token/", {"email": "Ann@Example.com", "password": "correct horse"})

    assert answer.status_code == 200
    header = {"Authorization": f"Token {answer.json()['token']}"}
    assert anybody.get("/api/jobs/", headers=header).status_code == 200


def test_it_gives_the_same_token_again(user: User, anybody: APIClient) -> None:
    body = {"email": user.email, "password": "correct horse"}

    assert anybody.post("/api/token/", body).json() == anybody.post("/api/token/", body).json()


def test_it_does_not_tell_whether_an_address_is_known(user: User, anybody: APIClient) -> None:
    inactive = User.objects.create_user("gone@example.com", password="correct horse", is_active=False)  # noqa: S106  a test's own

    answers = [
        anybody.post("/api/token/", {"email": email, "password": password})
        for email, password in [(user.email, "wrong"), ("nobody@example.com", "x"), (inactive.email, "correct horse")]
    ]

    assert {answer.status_code for answer in answers} == {400}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("body", [{}, {"email": "ann@example.com"}, {"email": 1, "password": []}, [], "x"])
def test_it_refuses_a_body_that_is_no_login(anybody: APIClient, body: object) -> None:
    assert anybody.post("/api/token/", body).status_code == 400


def test_it_is_throttled(anybody: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ScopedRateThrottle.THROTTLE_RATES, "token", "1/hour")

    statuses = [anybody.post("/api/token/", {"email": "a", "password": "b"}).status_code for _ in range(2)]

    assert statuses == [400, 429]


def test_what_comes_together_is_throttled_too(two_at_once: TwoAtOnce, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ScopedRateThrottle.THROTTLE_RATES, "token", "1/hour")

    def guess() -> int:
        return APIClient().post("/api/token/", {"email": "a", "password": "b"}).status_code

    assert two_at_once(guess) == [400, 429]


def test_a_token_ends_after_its_days_and_a_new_one_is_made(user: User, anybody: APIClient) -> None:
    body = {"email": user.email, "password": "correct horse"}
    first = anybody.post("/api/token/", body).json()["token"]
    _make_older(days=366)

    refused = anybody.get("/api/jobs/", headers={"Authorization": f"Token {first}"})
    second = anybody.post("/api/token/", body).json()["token"]

    assert (refused.status_code, "365 days" in refused.json()["detail"]) == (401, True)
    assert second != first
    assert anybody.get("/api/jobs/", headers={"Authorization": f"Token {second}"}).status_code == 200


def test_a_token_lives_for_ever_if_told(user: User, anybody: APIClient, settings: Settings) -> None:
    settings.TOKEN_DAYS = 0
    token = anybody.post("/api/token/", {"email": user.email, "password": "correct horse"}).json()["token"]
    _make_older(days=36_600)

    assert delete_expired_tokens.apply(throw=True).result == 0
    assert anybody.get("/api/jobs/", headers={"Authorization": f"Token {token}"}).status_code == 200


def test_old_tokens_are_deleted(user: User, stranger: User) -> None:
    Token.objects.create(user=user)
    _make_older(days=366)
    young = Token.objects.create(user=stranger)

    assert delete_expired_tokens.apply(throw=True).result == 1
    assert list(Token.objects.all()) == [young]


def _make_older(*, days: int) -> None:
    Token.objects.update(created=timezone.now() - timedelta(days=days))
