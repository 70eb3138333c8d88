"""Steering entries in Django's admin: as on the dashboard, recorded and owned by who did it."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.forms.models import model_to_dict
from django.test import Client
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from warren.delivery.models import Job
from warren.scheduling.models import ScheduleEvent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_site")]

TASK = "celery.backend_cleanup"
LIST = "/admin/django_celery_beat/periodictask/"


@pytest.fixture
def root() -> Any:
    return get_user_model().objects.create_superuser("root@example.com")


@pytest.fixture
def admin(client: Client, root: Any) -> Client:
    client.force_login(root)
    return client


def _entry(name: str, **fields: Any) -> PeriodicTask:
    every, _ = IntervalSchedule.objects.get_or_create(every=1, period="hours")
    return PeriodicTask.objects.create(name=name, task=TASK, interval=every, **fields)


def _act(client: Client, action: str, *entries: PeriodicTask) -> str:
    chosen = {"action": action, "_selected_action": [entry.pk for entry in entries]}
    answer = client.post(LIST, chosen, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def _events() -> list[tuple[str, str, Any]]:
    return [(event.name, event.kind, event.actor) for event in ScheduleEvent.objects.order_by("name")]


@pytest.mark.parametrize(
    ("action", "recorded", "told"),
    [
        ("enable_tasks", [("off", "enabled")], "1 of 2 switched"),
        ("disable_tasks", [("on", "disabled")], "1 of 2 switched"),
        ("toggle_tasks", [("off", "enabled"), ("on", "disabled")], "2 of 2 switched"),
    ],
)
def test_a_switch_is_recorded(
    admin: Client, root: Any, action: str, recorded: list[tuple[str, str]], told: str
) -> None:
    page = _act(admin, action, _entry("off", enabled=False), _entry("on"))

    assert told in page
    assert _events() == [(name, kind, root) for name, kind in recorded]
    for name, kind in recorded:
        assert PeriodicTask.objects.get(name=name).enabled is (kind == "enabled")


def test_a_run_is_recorded_and_its_job_belongs_to_who_wanted_it(admin: Client, root: Any) -> None:
    page = _act(admin, "run_tasks", _entry("good"), _entry("bad", args="[1, 2, 3]"), _entry("lost", queue="no-such"))

    job = Job.objects.get()
    assert (job.task, job.owner) == (TASK, root)
    assert f"Entry good is job {job.pk}" in page
    assert "Entry bad was not run" in page
    assert "Entry lost was not run" in page
    assert [(event.name, event.kind, event.job_id) for event in ScheduleEvent.objects.all()] == [
        ("good", "run", job.pk)
    ]


@pytest.mark.parametrize("enabled", [False, True])
def test_a_switch_on_the_entrys_own_page_is_recorded(admin: Client, root: Any, *, enabled: bool) -> None:
    entry = _entry("hourly", enabled=not enabled)
    fields = {name: value for name, value in model_to_dict(entry).items() if value not in (None, False)}

    for description in ("first", "second"):
        sent = {**fields, "enabled": "on" if enabled else "", "description": description}
        answer = admin.post(f"{LIST}{entry.pk}/change/", {name: value for name, value in sent.items() if value})
        assert answer.status_code == 302, answer.content

    entry.refresh_from_db()
    assert (entry.enabled, entry.description) == (enabled, "second")
    assert _events() == [("hourly", "enabled" if enabled else "disabled", root)]


def test_who_may_only_look_steers_nothing(client: Client) -> None:
    looker = get_user_model().objects.create_user("ann@example.com", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_periodictask"))
    client.force_login(looker)

    _act(client, "run_tasks", _entry("hourly"))
    _act(client, "disable_tasks", PeriodicTask.objects.get())

    assert (Job.objects.exists(), ScheduleEvent.objects.exists()) == (False, False)
    assert PeriodicTask.objects.get().enabled
