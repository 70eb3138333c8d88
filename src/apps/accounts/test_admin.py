"""Users in Django's admin."""

import pytest
from django.test import Client

from apps.accounts.models import User

pytestmark = pytest.mark.django_db


def test_it_adds_a_user_by_address(client: Client, staff: User) -> None:
    client.force_login(staff)

    answer = client.post(
        "/admin/accounts/user/add/",
        {
            "email": "Eve@example.com",
            "usable_password": "true",
            "password1": "correct horse battery",
            "password2": "correct horse battery",
        },
    )

    assert answer.status_code == 302, answer.content
    made = User.objects.get(email="eve@example.com")
    assert made.check_password("correct horse battery")


def test_it_shows_and_lists_users(client: Client, staff: User, user: User) -> None:
    client.force_login(staff)

    assert user.email in client.get("/admin/accounts/user/?q=ann").content.decode()
    assert user.email in client.get(f"/admin/accounts/user/{user.pk}/change/").content.decode()


@pytest.mark.usefixtures("staff")
def test_it_logs_in_with_the_address(client: Client) -> None:
    client.post("/admin/login/", {"username": "Root@Example.com", "password": "correct horse"})

    assert client.get("/admin/").status_code == 200
