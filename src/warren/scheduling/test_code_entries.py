from datetime import timedelta
from typing import Any

import pytest
from celery.schedules import crontab, solar
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from warren.scheduling import code_entries
from warren.scheduling.errors import BadEntryError

pytestmark = pytest.mark.django_db

HOURLY: dict[str, Any] = {"task": "tests.note", "schedule": timedelta(hours=1)}


def synchronise(**entries: dict[str, Any]) -> None:
    code_entries.synchronise(entries, tasks={"tests.note"})


@pytest.mark.parametrize(
    ("schedule", "kind"),
    [
        (timedelta(minutes=5), "interval"),
        (crontab(hour="8", minute="0"), "crontab"),
        (solar("sunset", 52, 13), "solar"),
    ],
)
def test_it_makes_an_entry_of_each_kind(schedule: Any, kind: str) -> None:
    synchronise(mine={"task": "tests.note", "schedule": schedule, "options": {"expires": 60, "queue": "io"}})

    row = PeriodicTask.objects.get(name="mine")
    assert getattr(row, kind) is not None
    assert (row.enabled, row.expire_seconds, row.queue) == (True, 60, "io")


def test_it_takes_over_what_changed_in_code_and_leaves_the_switch() -> None:
    synchronise(mine=HOURLY)
    PeriodicTask.objects.update(enabled=False)

    synchronise(mine={**HOURLY, "schedule": timedelta(hours=2)})

    row = PeriodicTask.objects.select_related("interval").get(name="mine")
    assert (row.enabled, row.interval.every) == (False, 7200)


def test_it_deletes_what_code_no_longer_names_and_nothing_of_people() -> None:
    every = IntervalSchedule.objects.create(every=1, period="days")
    PeriodicTask.objects.create(name="of-people", task="tests.note", interval=every)
    synchronise(mine=HOURLY)

    synchronise()

    assert [row.name for row in PeriodicTask.objects.all()] == ["of-people"]


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({**HOURLY, "task": "tests.gone"}, "there is no task 'tests.gone'"),
        ({**HOURLY, "shedule": 1}, "unknown \\['shedule'\\]"),
        ({**HOURLY, "options": {"ttl": 1}}, "unknown \\['ttl'\\]"),
        ({"task": "tests.note"}, "None is no schedule"),
        ({**HOURLY, "schedule": timedelta(seconds=0.5)}, "whole seconds"),
    ],
)
def test_it_refuses_an_entry_that_cannot_run(entry: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadEntryError, match=complaint):
        synchronise(bad=entry)

    assert not PeriodicTask.objects.exists()
