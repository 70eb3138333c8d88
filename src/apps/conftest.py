"""What tests of the apps stand on: a user, clients, and a media folder of their own."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from pytest_django import Settings
from rest_framework.test import APIClient


@pytest.fixture(autouse=True)
def _fresh_site(settings: Settings, tmp_path: Path) -> None:
    """No collected static files needed; files go to a folder that is thrown away."""
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "whitenoise" not in each]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.MEDIA_ROOT = tmp_path
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one is slow on purpose


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


@pytest.fixture
def api(user: Any) -> APIClient:
    return logged_in(user)


def logged_in(user: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def stranger_api(stranger: Any) -> APIClient:
    return logged_in(stranger)


@pytest.fixture
def staff_api(staff: Any) -> APIClient:
    return logged_in(staff)
