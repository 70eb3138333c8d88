"""POST /api/register/."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework.throttling import ScopedRateThrottle

from apps.accounts.models import User
from apps.accounts.registration import register
from apps.accounts.tasks import send_welcome_mail
from warren.delivery.models import Job

PASSWORD = "correct horse battery"  # noqa: S105  a test's own

pytestmark = pytest.mark.django_db


def _register(api: APIClient, **fields: Any) -> Any:
    return api.post("/api/register/", {"email": "Eve@Example.com", "password": PASSWORD, **fields})


def test_it_makes_a_user_who_can_log_in(anybody: APIClient) -> None:
    answer = _register(anybody, first_name="Eve", birthday="1990-02-28")

    assert answer.status_code == 201
    user = User.objects.get()
    assert answer.json() == {
        "id": user.pk,
        "email": "eve@example.com",
        "first_name": "Eve",
        "birthday": "1990-02-28",
    }
    assert user.check_password(PASSWORD)


def test_it_submits_the_welcome_mail(anybody: APIClient) -> None:
    _register(anybody)

    user = User.objects.get()
    job = Job.objects.get()
    assert (job.task, job.queue, job.args, job.owner) == (send_welcome_mail.name, "io", [user.pk], user)


@pytest.mark.django_db(transaction=True)
def test_it_keeps_no_user_when_the_mail_cannot_be_accepted() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE warren_outbox ADD CONSTRAINT no_more CHECK (false)")
    try:
        with pytest.raises(DatabaseError):
            register("eve@example.com", password=PASSWORD)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE warren_outbox DROP CONSTRAINT no_more")

    assert not User.objects.exists()
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("email", "not an address", "valid"),
        ("email", "", "blank"),
        ("email", "ann@example.com", "exists"),
        ("email", "ANN@EXAMPLE.COM", "exists"),
        ("password", "short", "short"),
        ("password", "password123", "common"),
        ("password", "73917401938471", "numeric"),
        ("password", "eve@example.com", "similar"),
        ("password", "x" * 129, "128"),
        ("birthday", "yesterday", "format"),
        ("first_name", "x" * 151, "150"),
    ],
)
def test_it_names_what_is_wrong(user: User, anybody: APIClient, field: str, value: str, says: str) -> None:
    answer = _register(anybody, **{field: value})

    assert answer.status_code == 400
    assert says in " ".join(answer.json()["errors"][field])
    assert User.objects.get() == user


def test_it_refuses_a_birthday_in_the_future(anybody: APIClient) -> None:
    today = timezone.localdate()

    tomorrow = _register(anybody, birthday=str(today + timedelta(days=1)))
    on_the_day = _register(anybody, birthday=str(today))

    assert tomorrow.status_code == 400
    assert "future" in tomorrow.json()["errors"]["birthday"][0]
    assert on_the_day.status_code == 201


def test_it_never_shows_the_password(anybody: APIClient) -> None:
    assert PASSWORD not in _register(anybody).content.decode()


def test_it_is_throttled_whatever_the_client_says_it_is(anybody: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ScopedRateThrottle.THROTTLE_RATES, "register", "2/hour")

    answers = [
        anybody.post(
            "/api/register/",
            {"email": f"{address}@example.com", "password": PASSWORD},
            headers={"X-Forwarded-For": address},
        )
        for address in ("1.1.1.1", "2.2.2.2", "3.3.3.3")
    ]

    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0
