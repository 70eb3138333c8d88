"""What tests of the dashboard stand on: people who are logged in, and jobs in every state."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client

from warren.dashboard import throughput
from warren.jobs import conftest as jobs

# the same people and jobs, on the same site
user, stranger, staff, make_job = jobs.user, jobs.stranger, jobs.staff, jobs.make_job
two_at_once = jobs.two_at_once

LIVE = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _site(plain_site: None) -> Iterator[None]:  # noqa: ARG001  it is there first
    """Every test may look at a page, and none knows what another has counted."""
    throughput.forget()
    yield
    throughput.forget()


@pytest.fixture
def member(user: Any) -> Client:
    return _logged_in(user)


@pytest.fixture
def staff_member(staff: Any) -> Client:
    return _logged_in(staff)


def _logged_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(client: Client, path: str, **options: Any) -> str:
    """The page, which must be there."""
    answer = client.get(path, **options)
    assert answer.status_code == HTTPStatus.OK, answer.content
    return answer.content.decode()
