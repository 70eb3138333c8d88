"""What tests of the apps stand on: a user, clients, and a media folder of their own."""

from pathlib import Path

import pytest
from django.core.cache import cache
from pytest_django import Settings
from rest_framework.test import APIClient

from apps.accounts.models import User


@pytest.fixture(autouse=True)
def _fresh_site(settings: Settings, tmp_path: Path) -> None:
    """No throttle counts of other tests; no collected static files needed; files go to a folder that is thrown away."""
    cache.clear()
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "whitenoise" not in each]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.MEDIA_ROOT = tmp_path
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one is slow on purpose


@pytest.fixture
def user() -> User:
    return User.objects.create_user("ann@example.com", password="correct horse", first_name="Ann")  # noqa: S106  a test's own


@pytest.fixture
def stranger() -> User:
    return User.objects.create_user("bob@example.com")


@pytest.fixture
def staff() -> User:
    return User.objects.create_superuser("root@example.com", password="correct horse")  # noqa: S106  a test's own


@pytest.fixture
def anybody() -> APIClient:
    return APIClient()


@pytest.fixture
def api(user: User) -> APIClient:
    return logged_in(user)


def logged_in(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def stranger_api(stranger: User) -> APIClient:
    return logged_in(stranger)


@pytest.fixture
def staff_api(staff: User) -> APIClient:
    return logged_in(staff)
