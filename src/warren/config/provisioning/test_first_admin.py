import pytest
from django.contrib.auth import get_user_model

from warren.config.provisioning import first_admin

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_EMAIL", "Admin@example.com")
    monkeypatch.setenv("ADMIN_PASSWORD", "first")


def test_it_makes_the_administrator_when_there_is_none() -> None:
    assert list(first_admin.provision()) == ["administrator Admin@example.com made"]

    user = get_user_model().objects.get(email="admin@example.com")
    assert user.is_superuser
    assert user.check_password("first")


def test_it_leaves_a_changed_password_alone_when_it_runs_again(monkeypatch: pytest.MonkeyPatch) -> None:
    list(first_admin.provision())
    monkeypatch.setenv("ADMIN_PASSWORD", "second")

    assert list(first_admin.provision()) == []
    assert get_user_model().objects.get(email="admin@example.com").check_password("first")
