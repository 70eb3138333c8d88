"""Reminders by HTTP, and in the admin."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from apps.reminders import keeping
from apps.reminders.conftest import MakeReminder
from apps.reminders.models import Reminder, Repeat

pytestmark = pytest.mark.django_db

SOON = (datetime.now(UTC) + timedelta(days=40)).strftime("%Y-%m-%dT08:00:00")
WANTED = {"text": "Water the plants", "at": SOON, "time_zone": "Asia/Kathmandu", "repeat": "daily"}


def test_it_sets_a_reminder_where_its_owner_is(api: APIClient, user: Any) -> None:
    answer = api.post("/api/reminders/", WANTED)

    assert answer.status_code == 201
    told = answer.json()
    assert (told["at"], told["time_zone"], told["repeat"], told["last"]) == (SOON, "Asia/Kathmandu", "daily", None)
    assert told["next_at"] == f"{SOON[:10]}T02:15:00Z"
    reminder = Reminder.objects.get(pk=told["id"])
    assert (reminder.owner, reminder.text) == (user, "Water the plants")
    assert api.get(f"/api/reminders/{reminder.pk}/").json() == told


def test_without_more_it_is_for_once_in_the_sites_zone(api: APIClient) -> None:
    told = api.post("/api/reminders/", {"text": "x", "at": SOON}).json()

    assert (told["repeat"], told["time_zone"]) == ("once", "UTC")


@pytest.mark.parametrize(
    ("change", "field", "status"),
    [
        ({"text": ""}, "text", 400),
        ({"text": "x" * 501}, "text", 400),
        ({"text": "a\x00b"}, "text", 400),
        ({"text": 5}, "text", 400),
        ({"at": "soon"}, "at", 400),
        ({"at": f"{SOON}Z"}, "at", 400),
        ({"at": "2999-01-01T00:00:00"}, "at", 400),
        ({"at": "2026-01-01T00:00:00", "repeat": "once"}, "at", 422),
        ({"time_zone": "Nowhere/Land"}, "time_zone", 400),
        ({"time_zone": "../../etc/passwd"}, "time_zone", 400),
        ({"time_zone": "Europe"}, "time_zone", 400),
        ({"repeat": "hourly"}, "repeat", 400),
    ],
)
def test_it_refuses_and_names_the_field(api: APIClient, change: dict[str, Any], field: str, status: int) -> None:
    answer = api.post("/api/reminders/", {**WANTED, **change})

    assert (answer.status_code, list(answer.json()["errors"])) == (status, [field])
    assert not Reminder.objects.exists()


def test_no_other_address_can_be_given(api: APIClient) -> None:
    told = api.post("/api/reminders/", {**WANTED, "email": "victim@example.org", "owner": 1}).json()

    assert not {"email", "owner", "to"} & told.keys()


def test_the_same_one_sent_again_is_one(api: APIClient) -> None:
    first, second = api.post("/api/reminders/", WANTED), api.post("/api/reminders/", WANTED)

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert Reminder.objects.count() == 1


def test_a_person_has_a_few_dozen_at_most(
    api: APIClient, stranger_api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MOST_ACTIVE", 1)
    first = api.post("/api/reminders/", WANTED).json()

    assert api.post("/api/reminders/", {**WANTED, "text": "another"}).status_code == 422
    assert stranger_api.post("/api/reminders/", WANTED).status_code == 201
    assert api.post(f"/api/reminders/{first['id']}/cancel/").status_code == 200
    assert api.post("/api/reminders/", {**WANTED, "text": "another"}).status_code == 201


def test_it_cancels_once(api: APIClient) -> None:
    path = f"/api/reminders/{api.post('/api/reminders/', WANTED).json()['id']}/"

    first, second = api.post(f"{path}cancel/"), api.post(f"{path}cancel/")

    assert (first.status_code, second.status_code) == (200, 409)
    assert first.json()["next_at"] is None
    assert first.json()["cancelled_at"] is not None


def test_reminders_are_their_owners(
    make_reminder: MakeReminder, api: APIClient, stranger_api: APIClient, staff_api: APIClient, anybody: APIClient
) -> None:
    path = f"/api/reminders/{make_reminder(ago=timedelta(days=-1)).pk}/"

    for method, where in (("get", path), ("post", f"{path}cancel/")):
        statuses = [getattr(client, method)(where).status_code for client in (stranger_api, staff_api, anybody, api)]
        assert statuses == [404, 404, 401, 200], where
    assert [len(client.get("/api/reminders/").json()["results"]) for client in (api, stranger_api)] == [1, 0]


def test_the_admin_shows_and_cancels_them(client: Client, staff: Any, make_reminder: MakeReminder) -> None:
    reminder = make_reminder(ago=timedelta(days=-1), repeat=Repeat.DAILY)
    client.force_login(staff)

    assert "Water the plants" in client.get("/admin/reminders/reminder/?q=ann").content.decode()
    assert client.get(f"/admin/reminders/reminder/{reminder.pk}/change/").status_code == 200
    assert client.get("/admin/reminders/reminder/add/").status_code == 403
    client.post("/admin/reminders/reminder/", {"action": "cancel", "_selected_action": [str(reminder.pk)]})
    reminder.refresh_from_db()
    assert (reminder.next_at, reminder.cancelled_at is not None) == (None, True)
