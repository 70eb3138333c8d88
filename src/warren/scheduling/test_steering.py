"""Switching and running entries by hand, and when they run next."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule

from warren.delivery.models import Job
from warren.scheduling import digest, steering, upcoming
from warren.scheduling.errors import UnreadableEntryError
from warren.scheduling.models import ScheduleEvent
from warren.scheduling.scheduler import Scheduler

TASK = "celery.backend_cleanup"


@pytest.fixture
def person(db: None) -> Any:  # noqa: ARG001  brings the database
    return get_user_model().objects.create_user("ann@example.com")


def _entry(**fields: Any) -> PeriodicTask:
    every, _ = IntervalSchedule.objects.get_or_create(every=1, period="hours")
    return PeriodicTask.objects.create(name="entry", task=TASK, **{"interval": every, **fields})


def _next(**fields: Any) -> upcoming.Upcoming:
    _entry(**fields)
    (found,) = upcoming.of_all()
    return found


def test_a_switch_is_recorded_and_seen_by_beat(person: Any) -> None:
    entry, before = _entry(), digest.of_schedule()

    assert steering.switch(entry.pk, enabled=False, by=person.pk)

    entry.refresh_from_db()
    event = ScheduleEvent.objects.get()
    assert (entry.enabled, digest.of_schedule() != before) == (False, True)
    assert (event.kind, event.actor, event.name, event.periodic_task) == ("disabled", person, "entry", entry)


def test_what_is_so_already_is_no_event(person: Any) -> None:
    assert not steering.switch(_entry().pk, enabled=True, by=person.pk)
    assert not ScheduleEvent.objects.exists()


def test_an_entry_that_is_switched_on_waits_for_its_next_time(person: Any) -> None:
    entry = _entry(enabled=False)
    PeriodicTask.objects.filter(pk=entry.pk).update(last_run_at=timezone.now() - timedelta(days=3))

    steering.switch(entry.pk, enabled=True, by=person.pk)

    (found,) = upcoming.of_all()
    assert found.at is not None
    assert timedelta(minutes=59) < found.at - timezone.now() < timedelta(minutes=61)


def test_the_record_outlives_the_entry(person: Any) -> None:
    entry = _entry()
    steering.switch(entry.pk, enabled=False, by=person.pk)

    entry.delete()

    event = ScheduleEvent.objects.get()
    assert (event.name, event.periodic_task) == ("entry", None)


def test_a_run_is_the_job_that_a_tick_would_be(person: Any) -> None:
    entry = _entry(args="[]", queue="io", priority=7, expire_seconds=60, total_run_count=4)

    job_id = steering.run_now(entry.pk, by=person.pk)

    job = Job.objects.get(pk=job_id)
    assert (job.task, job.queue, job.priority, job.owner) == (TASK, "io", 7, person)
    assert job.expires_at is not None
    assert timedelta(seconds=55) < job.expires_at - timezone.now() <= timedelta(seconds=60)
    assert job.envelope.headers["periodic_task_name"] == "entry"
    entry.refresh_from_db()
    assert (entry.total_run_count, entry.last_run_at) == (4, None)
    event = ScheduleEvent.objects.get()
    assert (event.kind, event.job_id, event.actor) == ("run", job_id, person)


def test_an_entry_that_is_off_can_be_run(person: Any) -> None:
    assert Job.objects.filter(pk=steering.run_now(_entry(enabled=False).pk, by=person.pk)).exists()


def test_an_entry_that_cannot_be_read_is_neither_run_nor_changed(person: Any) -> None:
    entry = _entry()
    PeriodicTask.objects.filter(pk=entry.pk).update(kwargs="{")

    with pytest.raises(UnreadableEntryError):
        steering.run_now(entry.pk, by=person.pk)

    entry.refresh_from_db()
    assert entry.enabled
    assert not ScheduleEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_next_run_is_the_one_that_beat_makes(scheduler: Scheduler) -> None:
    found = _next(last_run_at=timezone.now() - timedelta(minutes=59, seconds=58))
    assert found.at is not None

    scheduler.tick()
    assert not Job.objects.exists()
    deadline = found.at + timedelta(seconds=30)
    while not Job.objects.exists() and timezone.now() < deadline:
        scheduler.tick()

    late = Job.objects.get().created_at - found.at  # by as much as the machine is busy
    assert timedelta(seconds=-1) < late < timedelta(seconds=30)


@pytest.mark.django_db
def test_what_is_overdue_is_next_now() -> None:
    found = _next(last_run_at=timezone.now() - timedelta(days=1))

    assert found.at is not None
    assert abs(found.at - timezone.now()) < timedelta(seconds=5)


@pytest.mark.django_db
def test_a_crontab_is_next_at_its_hour() -> None:
    crontab = CrontabSchedule.objects.create(minute="30", hour="4")

    found = _next(interval=None, crontab=crontab)

    assert found.at is not None
    assert (found.at + timedelta(seconds=1)).strftime("%H:%M") == "04:30"
    assert found.words == "At 04:30 AM UTC"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"enabled": False}, upcoming.OFF),
        ({"one_off": True, "total_run_count": 1}, upcoming.OVER),
        ({"expires": timezone.now() - timedelta(days=1)}, upcoming.OVER),
    ],
)
def test_an_entry_that_runs_no_more_says_why_and_stays_as_it_is(fields: dict[str, Any], why: str) -> None:
    found = _next(**fields)

    assert (found.at, found.why) == (None, why)
    row = PeriodicTask.objects.get()
    assert {name: getattr(row, name) for name in fields} == fields


@pytest.mark.django_db
def test_an_entry_of_a_moment_is_next_then() -> None:
    moment = timezone.now() + timedelta(hours=3)

    found = _next(interval=None, clocked=ClockedSchedule.objects.create(clocked_time=moment), one_off=True)

    assert found.at is not None
    assert abs(found.at - moment) < timedelta(seconds=5)


@pytest.mark.django_db
def test_without_the_package_the_sun_is_left_to_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    sunset = SolarSchedule.objects.create(event="sunset", latitude=52.37, longitude=4.9)
    monkeypatch.setattr(upcoming, "_knows_the_sun", lambda: False)

    found = _next(interval=None, solar=sunset)

    assert (found.at, found.why) == (None, upcoming.SUN)


@pytest.mark.django_db
def test_a_page_reads_a_schedule_and_writes_nothing() -> None:
    entry = _entry()

    upcoming.of_all()

    entry.refresh_from_db()
    assert entry.last_run_at is None


@pytest.mark.django_db
@pytest.mark.parametrize("broken", [{"kwargs": "{"}, {"interval": None}])
def test_a_page_leaves_an_entry_that_cannot_be_read_as_it_is(broken: dict[str, Any]) -> None:
    entry = _entry()
    PeriodicTask.objects.filter(pk=entry.pk).update(**broken)

    (found,) = upcoming.of_all()

    entry.refresh_from_db()
    assert (found.at, entry.enabled) == (None, True)
    assert "cannot be read" in found.why
