"""A reminder of `user`'s, due when the test says."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.reminders import keeping
from apps.reminders.models import Reminder, Repeat

type MakeReminder = Callable[..., Reminder]


@pytest.fixture
def make_reminder(user: Any) -> MakeReminder:
    """Make a reminder whose first time was so long ago, by the clock in UTC."""

    def make(
        *, ago: timedelta, repeat: str = Repeat.ONCE, owner: Any = user, text: str = "Water the plants"
    ) -> Reminder:
        first = datetime.now(UTC) - ago
        reminder = Reminder(
            owner=owner, text=text, day=first.date(), time=first.time(), time_zone="UTC", repeat=repeat, next_at=first
        )
        reminder.next_at = keeping.course_of(reminder).next_after(first - timedelta(seconds=1))
        reminder.save()
        return reminder

    return make
