"""What tests of the apps stand on: clients, and a media folder of their own."""

from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from warren.jobs import conftest as jobs

# the same people, on the same site
user, stranger, staff, anybody = jobs.user, jobs.stranger, jobs.staff, jobs.anybody


@pytest.fixture(autouse=True)
def _fresh_site(plain_site: None, settings: Settings, tmp_path: Path) -> None:  # noqa: ARG001  it is there first
    """Files go to a folder that is thrown away."""
    settings.MEDIA_ROOT = tmp_path


def logged_in(user: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def api(user: Any) -> APIClient:
    return logged_in(user)


@pytest.fixture
def stranger_api(stranger: Any) -> APIClient:
    return logged_in(stranger)


@pytest.fixture
def staff_api(staff: Any) -> APIClient:
    return logged_in(staff)
