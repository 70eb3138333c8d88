import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from prometheus_client import REGISTRY

from warren.delivery.models import Job
from warren.scheduling import digest
from warren.scheduling.scheduler import Scheduler
from warren.scheduling.signals import ticked

pytestmark = pytest.mark.django_db(transaction=True)

TASK = "celery.backend_cleanup"


@pytest.fixture
def due() -> PeriodicTask:
    """An hourly entry that last ran two hours ago."""
    every = IntervalSchedule.objects.create(every=1, period="hours")
    return PeriodicTask.objects.create(
        name="due", task=TASK, interval=every, last_run_at=timezone.now() - timedelta(hours=2)
    )


@pytest.fixture
def ticks() -> Iterator[list[Any]]:
    seen: list[Any] = []

    def note(**kwargs: Any) -> None:
        seen.append(kwargs)

    ticked.connect(note)
    yield seen
    ticked.disconnect(note)


def tick(scheduler: Scheduler, times: int = 3) -> None:
    for _ in range(times):
        scheduler.tick()


def test_it_fires_what_is_due_once_and_notes_it(scheduler: Scheduler, due: PeriodicTask) -> None:
    tick(scheduler)

    due.refresh_from_db()
    assert (Job.objects.filter(task=TASK).count(), due.total_run_count) == (1, 1)


@pytest.mark.usefixtures("due")
def test_it_counts_what_it_fires_and_shows_that_it_leads_and_turns(scheduler: Scheduler) -> None:
    before = REGISTRY.get_sample_value("warren_schedule_runs_total") or 0.0

    tick(scheduler)

    assert REGISTRY.get_sample_value("warren_schedule_runs_total") == before + 1
    assert REGISTRY.get_sample_value("warren_beat_leads") == 1
    assert time.time() - (REGISTRY.get_sample_value("warren_beat_turned_timestamp_seconds") or 0.0) < 60


def test_it_notes_no_run_that_was_not_accepted(
    scheduler: Scheduler, due: PeriodicTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any) -> None:
        raise ValueError("no such queue")

    monkeypatch.setattr(scheduler, "_accept", fail)

    tick(scheduler)

    due.refresh_from_db()
    assert (Job.objects.count(), due.total_run_count) == (0, 0)


def test_it_fires_nothing_that_was_switched_off_meanwhile(scheduler: Scheduler, due: PeriodicTask) -> None:
    entry = scheduler.schedule[due.name]
    PeriodicTask.objects.update(enabled=False)

    scheduler.reserve(entry)
    scheduler.apply_entry(entry)

    assert not Job.objects.exists()


def test_it_ticks_while_idle(scheduler: Scheduler, ticks: list[Any]) -> None:
    wait_s = scheduler.tick()

    assert ticks
    assert 0 < wait_s <= 1


def test_it_outlives_a_lost_connection_and_then_fires(
    scheduler: Scheduler, due: PeriodicTask, ticks: list[Any]
) -> None:
    assert scheduler.schedule
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    with closing(connection.copy()) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])

    tick(scheduler, times=4)

    due.refresh_from_db()
    assert (Job.objects.filter(task=TASK).count(), due.total_run_count, len(ticks)) == (1, 1, 4)


def test_the_digest_follows_an_update_that_sends_no_signal(due: PeriodicTask) -> None:
    before = digest.of_schedule()

    IntervalSchedule.objects.filter(pk=due.interval_id).update(every=2)

    assert digest.of_schedule() != before


def test_the_digest_does_not_mind_a_run(due: PeriodicTask) -> None:
    before = digest.of_schedule()

    PeriodicTask.objects.filter(pk=due.pk).update(last_run_at=timezone.now(), total_run_count=7)

    assert digest.of_schedule() == before
