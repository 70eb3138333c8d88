"""Whatever two beats do, a tick becomes one job."""

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, transaction
from django.db.models import F
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from warren.delivery.models import Job
from warren.delivery.states import State
from warren.scheduling.conftest import TIMEOUT_S, Beat
from warren.scheduling.entry import Entry
from warren.scheduling.models import ScheduleLeader
from warren.scheduling.scheduler import Scheduler

type Beats = tuple[Beat, Beat]

TASK = "celery.backend_cleanup"
LONG = timedelta(days=2)


@pytest.fixture
def due(transactional_db: None) -> PeriodicTask:  # noqa: ARG001  brings the database
    """An hourly entry that last ran two days ago."""
    every = IntervalSchedule.objects.create(every=1, period="hours")
    return PeriodicTask.objects.create(name="due", task=TASK, interval=every, last_run_at=timezone.now() - LONG)


def entry_of(beat: Beat) -> Entry:
    """The entry `due`, as this beat has read it."""
    entry: Entry = beat.do(lambda: beat.scheduler.schedule["due"])
    return entry


def fire(scheduler: Scheduler, entry: Entry) -> None:
    """What Celery's tick does with an entry that is due."""
    scheduler.reserve(entry)
    scheduler.apply_entry(entry)


def jobs() -> int:
    return Job.objects.filter(task=TASK).count()


def test_one_of_two_fires_a_due_entry(beats: Beats, due: PeriodicTask) -> None:
    for beat in beats * 3:
        beat.turn()

    due.refresh_from_db()
    assert (jobs(), due.total_run_count) == (1, 1)


def test_a_beat_that_does_not_lead_fires_nothing(beats: Beats, due: PeriodicTask) -> None:
    first, second = beats
    first.do(first.scheduler._leader.hold)
    entry = entry_of(second)

    second.do(lambda: fire(second.scheduler, entry))

    due.refresh_from_db()
    assert (jobs(), due.total_run_count) == (0, 0)


def test_a_tick_fires_once_when_the_next_leader_read_it_before_it_fired(beats: Beats, due: PeriodicTask) -> None:
    first, second = beats
    entry = entry_of(second)
    first.turn(3)
    first.die()

    second.do(lambda: fire(second.scheduler, entry))

    due.refresh_from_db()
    assert (jobs(), due.total_run_count) == (1, 1)


def test_a_stale_tick_leaves_the_noted_run_as_it_is(beats: Beats, due: PeriodicTask) -> None:
    first, second = beats
    entry = entry_of(second)
    first.turn(3)
    first.die()
    due.refresh_from_db()
    noted = due.last_run_at

    second.do(lambda: fire(second.scheduler, entry))

    due.refresh_from_db()
    assert due.last_run_at == noted


def test_an_entry_that_has_never_run_fires_once(beats: Beats, due: PeriodicTask) -> None:
    first, second = beats
    PeriodicTask.objects.update(last_run_at=None, date_changed=timezone.now() - LONG)
    entry = entry_of(second)
    first.turn(3)
    first.die()

    second.do(lambda: fire(second.scheduler, entry))

    due.refresh_from_db()
    assert (jobs(), due.total_run_count) == (1, 1)


def test_a_leader_that_freezes_in_mid_tick_is_rolled_back(beats: Beats, due: PeriodicTask) -> None:
    first, second = beats
    frozen, thaw = threading.Event(), threading.Event()
    first.do(first.scheduler._leader.hold)
    entry = entry_of(first)

    def fire_and_freeze() -> None:
        with transaction.atomic():
            fire(first.scheduler, entry)
            frozen.set()
            thaw.wait(TIMEOUT_S)

    halfway = first.start(fire_and_freeze)
    assert frozen.wait(TIMEOUT_S)
    ScheduleLeader.objects.update(seen_at=F("seen_at") - LONG)

    second.leads_soon()
    second.turn(2)

    assert jobs() == 1
    thaw.set()
    with pytest.raises(OperationalError):
        halfway.result(TIMEOUT_S)
    first.turn(5)
    due.refresh_from_db()
    assert (jobs(), due.total_run_count) == (1, 1)


def test_a_run_that_somebody_writes_back_does_not_fire_again(scheduler: Scheduler, due: PeriodicTask) -> None:
    for _ in range(3):
        scheduler.tick()
    Job.objects.update(state=State.RUNNING)  # whose id the outbox would take for a retry
    due.save()  # as the admin does, with what it read before

    scheduler._read_anew()
    for _ in range(3):
        scheduler.tick()

    assert list(Job.objects.values_list("task", "state")) == [(TASK, State.RUNNING)]
    due.refresh_from_db()
    assert timezone.now() - due.last_run_at < timedelta(seconds=20)


@pytest.mark.usefixtures("due")
def test_an_entry_whose_last_run_is_reset_fires_again(scheduler: Scheduler) -> None:
    PeriodicTask.objects.update(last_run_at=None, date_changed=timezone.now() - LONG)
    for _ in range(3):
        scheduler.tick()

    PeriodicTask.objects.update(last_run_at=None)
    scheduler._read_anew()
    for _ in range(3):
        scheduler.tick()

    assert jobs() == 2


def test_a_daily_entry_that_was_missed_for_days_fires_once(scheduler: Scheduler, due: PeriodicTask) -> None:
    hour = (timezone.now() + timedelta(hours=6)).hour  # upstream leaves out entries of such an hour
    daily = CrontabSchedule.objects.create(hour=str(hour), minute="0")
    PeriodicTask.objects.filter(pk=due.pk).update(interval=None, crontab=daily)

    for _ in range(4):
        scheduler.tick()

    assert jobs() == 1


def test_an_entry_that_is_to_run_once_is_switched_off_after_it(scheduler: Scheduler, due: PeriodicTask) -> None:
    PeriodicTask.objects.update(one_off=True)

    for _ in range(3):
        scheduler.tick()
    scheduler._read_anew()
    scheduler.tick()

    due.refresh_from_db()
    assert (jobs(), due.enabled) == (1, False)


def test_a_stale_beat_switches_nothing_off(beats: Beats, due: PeriodicTask) -> None:
    first, second = beats
    PeriodicTask.objects.update(one_off=True, total_run_count=1)
    stale = entry_of(second)
    PeriodicTask.objects.update(total_run_count=0)  # somebody lets it run once more
    first.turn(3)

    second.do(stale.is_due)

    due.refresh_from_db()
    assert (jobs(), due.total_run_count) == (1, 0)
