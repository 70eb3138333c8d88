"""Sessions and cache rows that are over."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from warren.delivery import in_batches
from warren.maintenance import tasks

pytestmark = pytest.mark.django_db


def _session(key: str, *, ends_in: timedelta) -> None:
    Session.objects.create(session_key=key, session_data="", expire_date=timezone.now() + ends_in)


def test_it_deletes_sessions_that_are_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_batches, "BATCH", 2)
    _session("alive", ends_in=timedelta(minutes=1))
    for number in range(5):
        _session(f"over {number}", ends_in=timedelta(minutes=-1))

    assert tasks.delete_expired_sessions.apply(throw=True).result == 5
    assert [each.session_key for each in Session.objects.all()] == ["alive"]


def test_it_deletes_cache_rows_that_have_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_batches, "BATCH", 2)
    cache.set("alive", 1, timeout=60)
    for number in range(5):
        cache.set(f"over-{number}", 1, timeout=60)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE warren_cache SET expires = now() - interval '1 s' WHERE cache_key LIKE '%%over%%'")

    assert tasks.delete_expired_cache_rows.apply(throw=True).result == 5
    assert cache.get("alive") == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM warren_cache")
        assert cursor.fetchone() == (1,)


def test_the_cache_forgets_nobody_whom_it_throttles() -> None:
    for number in range(500):
        cache.set(f"address-{number}", 1, timeout=60)

    assert [number for number in range(500) if cache.get(f"address-{number}") is None] == []
