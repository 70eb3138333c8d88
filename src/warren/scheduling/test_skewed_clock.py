"""A beat whose machine's clock is wrong goes by Postgres' clock."""

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery
from django.db.models.functions import Now
from django.utils import timezone
from django_celery_beat import models, schedulers, tzcrontab
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from warren.delivery.models import Job
from warren.scheduling import clock
from warren.scheduling.scheduler import Scheduler

TASK = "celery.backend_cleanup"
HOUR = dt.timedelta(hours=1)
HALF = HOUR / 2
MOMENT = dt.timedelta(seconds=20)


@pytest.fixture(params=[HOUR, -HOUR], ids=["ahead", "behind"], autouse=True)
def _skewed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every clock of this machine that a scheduler could ask is an hour off."""

    class Skewed(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Any:
            return dt.datetime.now(tz) + request.param

    honest = Celery.now
    monkeypatch.setattr(clock, "datetime", Skewed)
    monkeypatch.setattr(tzcrontab, "datetime", Skewed)
    monkeypatch.setattr(schedulers, "datetime", SimpleNamespace(datetime=Skewed, timedelta=dt.timedelta))
    monkeypatch.setattr(models, "now", lambda: timezone.now() + request.param)
    monkeypatch.setattr(Celery, "now", lambda self: honest(self) + request.param)


def every_hour() -> IntervalSchedule:
    return IntervalSchedule.objects.create(every=1, period="hours")


def daily_at(moment: dt.datetime) -> CrontabSchedule:
    return CrontabSchedule.objects.create(hour=str(moment.hour), minute=str(moment.minute), timezone="UTC")


def fires(scheduler: Scheduler) -> bool:
    for _ in range(3):
        scheduler.tick()
    return Job.objects.filter(task=TASK).exists()


@pytest.mark.parametrize(("ran_ago", "due"), [(HALF, False), (HOUR + HALF, True)])
def test_an_interval_is_counted_by_postgres(scheduler: Scheduler, ran_ago: dt.timedelta, *, due: bool) -> None:
    PeriodicTask.objects.create(name="hourly", task=TASK, interval=every_hour(), last_run_at=timezone.now() - ran_ago)

    assert fires(scheduler) == due


@pytest.mark.parametrize(("at", "due"), [(HALF, False), (-HALF, True)])
def test_a_crontab_is_read_by_postgres_clock(scheduler: Scheduler, at: dt.timedelta, *, due: bool) -> None:
    now = timezone.now()
    PeriodicTask.objects.create(name="daily", task=TASK, crontab=daily_at(now + at), last_run_at=now - 2 * HOUR)

    assert fires(scheduler) == due


def test_the_run_and_the_expiry_are_noted_in_postgres_time(scheduler: Scheduler) -> None:
    row = PeriodicTask.objects.create(
        name="hourly", task=TASK, interval=every_hour(), last_run_at=timezone.now() - 2 * HOUR, expire_seconds=60
    )

    assert fires(scheduler)

    row.refresh_from_db()
    job = Job.objects.annotate(now=Now()).get()
    assert abs(job.now - row.last_run_at) < MOMENT
    assert job.expires_at
    assert abs(job.expires_at - job.created_at - dt.timedelta(seconds=60)) < MOMENT
