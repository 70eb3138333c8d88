"""What tests of the apps stand on: clients, and a media folder of their own."""

from pathlib import Path

import pytest
from pytest_django import Settings

from warren.jobs import conftest as jobs

# the same people, on the same site
user, stranger, staff = jobs.user, jobs.stranger, jobs.staff
api, stranger_api, staff_api, anybody = jobs.api, jobs.stranger_api, jobs.staff_api, jobs.anybody
two_at_once = jobs.two_at_once


@pytest.fixture(autouse=True)
def _fresh_site(plain_site: None, settings: Settings, tmp_path: Path) -> None:  # noqa: ARG001  it is there first
    """Files go to a folder that is thrown away."""
    settings.MEDIA_ROOT = tmp_path
