"""What tests of jobs stand on: users, their clients, and jobs in every state."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from warren.delivery.models import Job
from warren.delivery.states import FINAL, State

MakeJob = Callable[..., Job]


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
