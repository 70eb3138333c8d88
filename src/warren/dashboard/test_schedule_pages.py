"""The schedule's page."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from warren.dashboard.conftest import LIVE, text
from warren.delivery.models import Job
from warren.scheduling.models import CodeEntry, ScheduleEvent

pytestmark = pytest.mark.django_db

TASK = "celery.backend_cleanup"


def _entry(name: str = "hourly", **fields: Any) -> PeriodicTask:
    every, _ = IntervalSchedule.objects.get_or_create(every=1, period="hours")
    return PeriodicTask.objects.create(name=name, task=TASK, interval=every, **fields)


def test_it_shows_each_entry(staff_member: Client) -> None:
    CodeEntry.objects.create(periodic_task=_entry())
    _entry("off", enabled=False)

    page = text(staff_member, "/schedules/")

    assert "every hour" in page
    assert "from code" in page
    assert "in 59 min" in page
    assert "switched off" in page


def test_it_switches_and_records_who_did(staff_member: Client, staff: Any) -> None:
    entry = _entry()

    for verb in ("disable", "enable", "enable"):
        staff_member.post(f"/schedules/{entry.pk}/{verb}/")

    entry.refresh_from_db()
    assert entry.enabled
    assert [(event.kind, event.actor) for event in ScheduleEvent.objects.all()] == [
        ("enabled", staff),
        ("disabled", staff),
    ]
    assert "root@example.com" in text(staff_member, "/schedules/", headers=LIVE)


def test_it_runs_one_now_and_shows_the_job(staff_member: Client, staff: Any) -> None:
    entry = _entry()

    answer = staff_member.post(f"/schedules/{entry.pk}/run/")

    job = Job.objects.get()
    assert answer.headers["Location"] == f"/jobs/{job.pk}/"
    assert (job.task, job.owner) == (TASK, staff)
    assert ScheduleEvent.objects.get().job_id == job.pk


def test_one_that_cannot_be_run_says_why(staff_member: Client) -> None:
    entry = _entry(queue="no-such-queue")

    answer = staff_member.post(f"/schedules/{entry.pk}/run/", follow=True)

    assert "It was not run" in answer.content.decode()
    assert not ScheduleEvent.objects.exists()


@pytest.mark.parametrize(("pk", "verb"), [(0, "run"), (0, "enable"), (None, "explode")])
def test_what_is_not_there_is_404(staff_member: Client, pk: int | None, verb: str) -> None:
    assert staff_member.post(f"/schedules/{_entry().pk if pk is None else pk}/{verb}/").status_code == 404


def test_it_helps_when_there_is_none(staff_member: Client) -> None:
    assert "Nothing is scheduled" in text(staff_member, "/schedules/")


def test_it_asks_as_often_for_many_as_for_one(staff_member: Client) -> None:
    counts = []
    for number in range(2):
        _entry(f"entry {number}")
        with CaptureQueriesContext(connection) as queries:
            text(staff_member, "/schedules/")
        counts.append(len(queries))
        for more in range(20):
            entry = _entry(f"entry {number} {more}")
            staff_member.post(f"/schedules/{entry.pk}/disable/")

    assert counts[0] == counts[1] <= 6
