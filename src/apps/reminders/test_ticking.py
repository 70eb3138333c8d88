"""What a tick makes of reminders: one occurrence and one mail for each time, whatever happens."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from apps.reminders import keeping, ticking
from apps.reminders.conftest import MakeReminder
from apps.reminders.models import Occurrence, Reminder, Repeat
from apps.reminders.schedule import SCHEDULE
from apps.reminders.tasks import send_due_reminders, send_reminder, tidy_reminders
from apps.reminders.tidying import TICK
from warren.delivery import direct
from warren.delivery.models import Job
from warren.delivery.states import State

pytestmark = pytest.mark.django_db


def _tick() -> int:
    """In a transaction, as a worker runs a task that is transactional."""
    with transaction.atomic():
        return int(send_due_reminders.apply(throw=True).result)


def test_beats_entries_name_its_tasks() -> None:
    tasks = {each["task"] for each in SCHEDULE.values()}

    assert tasks == {send_due_reminders.name, tidy_reminders.name}
    assert send_due_reminders.name == TICK
    assert (send_due_reminders.queue, send_due_reminders.transactional) == ("io", True)


def test_a_reminder_that_is_due_gets_one_mail_job_of_its_owners(make_reminder: MakeReminder, user: Any) -> None:
    reminder = make_reminder(ago=timedelta(seconds=30))

    assert [_tick(), _tick()] == [1, 0]

    reminder.refresh_from_db()
    [occurrence] = reminder.occurrences.all()
    assert (occurrence.state, reminder.next_at) == (Occurrence.State.SENDING, None)
    [job] = Job.objects.all()
    assert (job.task, job.queue, job.owner, job.args) == (send_reminder.name, "io", user, [occurrence.pk])


def test_one_that_is_not_due_gets_none(make_reminder: MakeReminder) -> None:
    make_reminder(ago=timedelta(hours=-1))

    assert _tick() == 0
    assert not Occurrence.objects.exists()


@pytest.mark.parametrize(("repeat", "step"), [(Repeat.DAILY, timedelta(days=1)), (Repeat.WEEKLY, timedelta(weeks=1))])
def test_after_an_outage_it_is_due_once_for_the_last_time_that_was_missed(
    make_reminder: MakeReminder, repeat: str, step: timedelta
) -> None:
    reminder = make_reminder(ago=3 * step + timedelta(minutes=5), repeat=repeat)
    first = reminder.next_at
    assert first is not None

    assert [_tick(), _tick()] == [1, 0]

    reminder.refresh_from_db()
    assert [each.due_at for each in reminder.occurrences.all()] == [first + 3 * step]
    assert reminder.next_at == first + 4 * step


def test_a_time_that_was_before_is_not_again(make_reminder: MakeReminder) -> None:
    reminder = make_reminder(ago=timedelta(seconds=30))
    assert reminder.next_at is not None
    Occurrence.objects.create(reminder=reminder, due_at=reminder.next_at, state=Occurrence.State.SENT)

    assert _tick() == 0
    assert (Occurrence.objects.count(), Job.objects.count()) == (1, 0)


@pytest.mark.django_db(transaction=True)
def test_a_tick_that_fails_leaves_nothing_behind(make_reminder: MakeReminder) -> None:
    reminder = make_reminder(ago=timedelta(seconds=30))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE warren_outbox ADD CONSTRAINT no_more CHECK (false)")
    try:
        with pytest.raises(DatabaseError):
            _tick()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE warren_outbox DROP CONSTRAINT no_more")

    before = reminder.next_at
    reminder.refresh_from_db()
    assert (reminder.next_at, Occurrence.objects.count()) == (before, 0)
    assert _tick() == 1


@pytest.mark.django_db(transaction=True)
def test_one_tick_works_at_a_time(make_reminder: MakeReminder) -> None:
    make_reminder(ago=timedelta(seconds=30))

    with direct.connect("tick") as other, other.transaction():
        other.execute("SELECT pg_advisory_xact_lock(%s)", [ticking._ONE_AT_A_TIME])
        meanwhile = _tick()

    assert (meanwhile, _tick()) == (0, 1)


def test_a_cancelled_one_is_not_due(make_reminder: MakeReminder) -> None:
    reminder = make_reminder(ago=timedelta(seconds=30))

    assert [keeping.cancel(reminder), keeping.cancel(reminder)] == [True, False]
    assert _tick() == 0


def test_there_is_a_limit_of_mails_a_day(
    make_reminder: MakeReminder, stranger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticking, "MOST_A_DAY", 2)
    for minutes in (3, 2, 1):
        make_reminder(ago=timedelta(minutes=minutes), text=f"{minutes}")
    make_reminder(ago=timedelta(minutes=1), owner=stranger)

    assert _tick() == 3

    [skipped] = Occurrence.objects.filter(state=Occurrence.State.SKIPPED)
    assert (skipped.reminder.text, skipped.why) == ("1", "2 mails in 24 hours are enough")
    Occurrence.objects.update(made_at=datetime.now(UTC) - timedelta(days=2))
    make_reminder(ago=timedelta(minutes=1), text="4")
    assert _tick() == 1


def test_who_is_not_active_gets_no_mail(make_reminder: MakeReminder, user: Any) -> None:
    make_reminder(ago=timedelta(minutes=1))
    user.is_active = False
    user.save()

    assert _tick() == 0
    assert Occurrence.objects.get().why == "its owner is not active"


def test_what_is_over_is_deleted_after_a_month(make_reminder: MakeReminder) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=31)
    make_reminder(ago=timedelta(minutes=1))
    daily = make_reminder(ago=timedelta(minutes=1), repeat=Repeat.DAILY)
    _tick()
    Occurrence.objects.update(made_at=long_ago)
    Reminder.objects.update(created_at=long_ago)
    for name, task in (("tick", TICK), ("other", "some.task")):
        Job.objects.create(pk=name, task=task, queue="io", state=State.SUCCEEDED, finished_at=long_ago)

    deleted = tidy_reminders.apply(throw=True).result

    assert deleted == {"occurrences": 2, "reminders": 1, "ticks": 1}
    assert [each.pk for each in Reminder.objects.all()] == [daily.pk]
    assert Job.objects.filter(pk="other").exists()


def test_one_in_a_zone_that_is_gone_keeps_no_other_from_its_time(make_reminder: MakeReminder) -> None:
    lost = make_reminder(ago=timedelta(minutes=1), repeat=Repeat.DAILY, text="lost")
    Reminder.objects.update(time_zone="Atlantis/Capital")
    make_reminder(ago=timedelta(minutes=1), text="other")

    assert _tick() == 2
    lost.refresh_from_db()
    assert lost.next_at is None
