"""Beat: entries from code are in the table, and what the admin writes there is done."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.stack import django_code, postgres, waiting
from tests.stack.stack import Stack

EFFECT_WITHIN_S = 10
SILENT_S = 4  # an entry that is due each second, and still on, would have fired four times

_MAKE = """
from django_celery_beat.models import IntervalSchedule, PeriodicTask
every, _ = IntervalSchedule.objects.get_or_create(every=1, period=IntervalSchedule.SECONDS)
PeriodicTask.objects.create(name={name!r}, task="probe.io.echo", interval=every, args='["{name}"]')
"""
_SWITCH_OFF = """
from django_celery_beat.models import PeriodicTask
answer = PeriodicTask.objects.filter(name={name!r}).update(enabled=False)
"""
_FIRED = "SELECT count(*) FROM warren_job WHERE task = 'probe.io.echo' AND arguments LIKE :'arguments'"
_SILENT_S = """
SELECT extract(epoch FROM now() - max(created_at)) FROM warren_job
WHERE task = 'probe.io.echo' AND arguments LIKE :'arguments'
"""


@pytest.fixture
def every_second(stack: Stack) -> Iterator[str]:
    """The name of an entry that the admin's code made, due each second; the argument of its jobs too."""
    name = uuid4().hex
    django_code.run(stack, _MAKE.format(name=name))
    yield name
    postgres.ask(stack, "DELETE FROM django_celery_beat_periodictask WHERE name = :'name'", name=name)


def test_entries_from_code_of_every_kind_are_in_the_table(stack: Stack) -> None:
    found = postgres.ask(
        stack,
        "SELECT name, interval_id IS NOT NULL, crontab_id IS NOT NULL, solar_id IS NOT NULL, enabled "
        "FROM django_celery_beat_periodictask WHERE name LIKE 'probe-%' ORDER BY name",
    )

    assert found == [
        ["probe-crontab", "f", "t", "f", "t"],
        ["probe-interval", "t", "f", "f", "t"],
        ["probe-solar", "f", "f", "t", "t"],
    ]


def test_the_birthday_mail_is_due_at_eight(stack: Stack) -> None:
    found = postgres.ask(
        stack,
        "SELECT c.hour, c.minute, c.timezone FROM django_celery_beat_periodictask t JOIN "
        "django_celery_beat_crontabschedule c ON c.id = t.crontab_id WHERE t.name = 'birthday-mails' AND t.enabled",
    )

    assert found == [["8", "0", stack.values["TIME_ZONE"]]]


def test_an_entry_of_the_admin_fires_until_it_is_switched_off_by_an_update(stack: Stack, every_second: str) -> None:
    waiting.until(lambda: _fired(stack, every_second) >= 3, within_s=20, what="the entry has fired three times")

    assert django_code.run(stack, _SWITCH_OFF.format(name=every_second)) == 1

    waiting.until(
        lambda: _silent_s(stack, every_second) > SILENT_S,
        within_s=EFFECT_WITHIN_S + SILENT_S,
        what=f"nothing fires, and has not for {SILENT_S} s",
    )


def _fired(stack: Stack, name: str) -> float:
    return postgres.number(stack, _FIRED, arguments=f"%{name}%")


def _silent_s(stack: Stack, name: str) -> float:
    """Seconds since the entry last fired."""
    return postgres.number(stack, _SILENT_S, arguments=f"%{name}%")
