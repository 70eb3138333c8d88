"""What tests of jobs stand on: users, their clients, and jobs in every state."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection
from rest_framework.test import APIClient
from rest_framework.throttling import SimpleRateThrottle

from warren.delivery.models import Job
from warren.delivery.states import FINAL, State

MakeJob = Callable[..., Job]
type TwoAtOnce = Callable[[Callable[[], int]], list[int]]


@pytest.fixture(autouse=True)
def _site(plain_site: None) -> None:
    """Every test of jobs may look at a page."""


@pytest.fixture
def user() -> Any:
    return get_user_model().objects.create_user("ann@example.com", password="correct horse", first_name="Ann")  # noqa: S106  a test's own


@pytest.fixture
def stranger() -> Any:
    return get_user_model().objects.create_user("bob@example.com")


@pytest.fixture
def staff() -> Any:
    return get_user_model().objects.create_superuser("root@example.com", password="correct horse")  # noqa: S106  a test's own


@pytest.fixture
def anybody() -> APIClient:
    return APIClient()


def _client(user: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def api(user: Any) -> APIClient:
    return _client(user)


@pytest.fixture
def stranger_api(stranger: Any) -> APIClient:
    return _client(stranger)


@pytest.fixture
def staff_api(staff: Any) -> APIClient:
    return _client(staff)


@pytest.fixture
def make_job(user: Any) -> MakeJob:
    """Make a job of `user` without submitting it."""

    def make(state: State = State.ACCEPTED, **fields: Any) -> Job:
        values = {"id": str(uuid4()), "task": "some.task", "queue": "cpu", "owner": user, "state": state, **fields}
        if state in FINAL:
            values.setdefault("finished_at", datetime.now(UTC))
        job = Job.objects.create(**values)
        job.refresh_from_db()
        return job

    return make


@pytest.fixture
def two_at_once(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[TwoAtOnce]:  # noqa: ARG001  threads see it
    """Asks twice, and lets throttles look at the same moment if nothing keeps them from it; returns both, sorted."""
    looked = threading.Barrier(2)

    def meet() -> float:
        with suppress(threading.BrokenBarrierError):
            looked.wait(2)
        return time.time()

    def ask(asking: Callable[[], int]) -> int:
        try:
            return asking()
        finally:
            connection.close()

    def ask_twice(asking: Callable[[], int]) -> list[int]:
        with ThreadPoolExecutor() as threads:
            return sorted(threads.map(ask, [asking] * 2))

    monkeypatch.setattr(SimpleRateThrottle, "timer", staticmethod(meet))
    yield ask_twice
    cache.clear()  # its table is no model's, so that nothing else would
