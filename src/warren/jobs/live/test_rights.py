"""Streams end with the right to have them."""

import asyncio
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings
from rest_framework.authtoken.models import Token

from warren.jobs.conftest import MakeJob
from warren.jobs.live import rights
from warren.jobs.live.conftest import let_token_expire, token_of
from warren.jobs.live.follower import Kind
from warren.jobs.live.following import Following
from warren.jobs.live.hub import Hub

pytestmark = pytest.mark.django_db(transaction=True)


def _update(user: Any, **values: Any) -> None:
    get_user_model().objects.filter(pk=user.pk).update(**values)


def _renew_token(user: Any) -> None:
    Token.objects.filter(user=user).delete()
    token_of(user)


def _by_token(user: Any) -> Following:
    return Following(user_id=user.pk, as_staff=user.is_staff, token=token_of(user), job_id="one")


def _by_session(user: Any) -> Following:
    return Following(user_id=user.pk, as_staff=user.is_staff, owner_id=user.pk)


@pytest.mark.parametrize(
    ("change", "ends_sessions_too"),
    [
        (lambda user: _update(user, is_active=False), True),
        (lambda user: user.delete(), True),
        (lambda user: _update(user, is_staff=False), True),
        (lambda user: Token.objects.filter(user=user).delete(), False),
        (_renew_token, False),
        (let_token_expire, False),
    ],
    ids=["inactive", "deleted", "no longer staff", "without token", "with another token", "with an old token"],
)
def test_whoever_may_no_longer_have_a_stream_loses_it_and_nobody_else(
    staff: Any, user: Any, change: Callable[[Any], None], *, ends_sessions_too: bool
) -> None:
    theirs, others = [_by_token(staff), _by_session(staff)], [_by_token(user), _by_session(user)]
    assert rights.lost([*theirs, *others]) == set()

    change(staff)

    assert rights.lost([*theirs, *others]) == set(theirs[: 2 if ends_sessions_too else 1])


def test_who_becomes_staff_keeps_what_they_have(user: Any) -> None:
    opened = _by_token(user)

    _update(user, is_staff=True)

    assert rights.lost([opened]) == set()


def test_tokens_may_be_for_ever(user: Any, settings: Settings) -> None:
    settings.TOKEN_DAYS = 0
    opened = _by_token(user)
    Token.objects.update(created=timezone.now() - timedelta(days=5000))

    assert rights.lost([opened]) == set()


def test_it_asks_once_however_many_streams_there_are(
    user: Any, staff: Any, stranger: Any, django_assert_num_queries: Any
) -> None:
    opened = [make(each) for each in (user, staff, stranger) for make in (_by_token, _by_session)]

    with django_assert_num_queries(1):
        rights.lost(opened)


def test_an_open_stream_is_told_to_reconnect_even_if_postgres_was_away(
    make_job: MakeJob, user: Any, stranger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, failures, original = Hub(), [OperationalError("away"), ValueError("a defect")], rights._in_thread
    job = make_job()

    async def failing(held: Collection[Following]) -> Any:
        if failures:
            raise failures.pop()
        return await original(held)

    monkeypatch.setattr(rights, "EVERY_S", 0.05)
    monkeypatch.setattr(rights, "_in_thread", failing)
    _update(user, is_active=False)

    async def story() -> tuple[list[Kind], list[Kind]]:
        with (
            hub.follow(Following(user_id=user.pk, job_id=job.pk)) as theirs,
            hub.follow(Following(user_id=stranger.pk, owner_id=stranger.pk)) as others,
        ):
            kinds: list[Kind] = []
            while Kind.RECONNECT not in kinds:
                kinds += [event.kind for event in await theirs.take(within_s=10)]
            return kinds, [event.kind for event in await others.take(within_s=0.2)]

    theirs, others = asyncio.run(asyncio.wait_for(story(), 20))

    assert not failures
    assert theirs[-1] is Kind.RECONNECT
    assert Kind.RECONNECT not in others
