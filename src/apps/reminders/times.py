"""When a reminder is due.

Repeated ones keep their time on the wall's clock: eight o'clock stays eight o'clock when summer time begins. A time
that a clock leaves out is as long after the gap's beginning as it would have been; of one that comes twice the first
counts.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from apps.reminders.models import Repeat

_STEPS = {Repeat.DAILY: timedelta(days=1), Repeat.WEEKLY: timedelta(weeks=1)}


@dataclass(frozen=True, kw_only=True)
class Course:
    """All times of a reminder. `first` has no zone: it is what the clock on the wall shows."""

    first: datetime
    zone: ZoneInfo
    repeat: str

    def next_after(self, moment: datetime) -> datetime | None:
        """The first time later than `moment`, in UTC; None if there is none."""
        number = self._passed(moment)
        return self._at(number) if number == 0 or self.repeat in _STEPS else None

    def last_until(self, moment: datetime) -> datetime | None:
        """The last time that is not later than `moment`, in UTC; None if there is none."""
        number = self._passed(moment)
        if number == 0:
            return None
        return self._at(number - 1 if self.repeat in _STEPS else 0)

    def _passed(self, moment: datetime) -> int:
        """How many times are not later than `moment`."""
        if self._at(0) > moment:
            return 0
        step = _STEPS.get(Repeat(self.repeat))
        if step is None:
            return 1
        # right but for an hour that a clock was put forward or back
        guess = (moment.astimezone(self.zone).replace(tzinfo=None) - self.first) // step
        return next(number for number in range(max(guess - 1, 0), guess + 4) if self._at(number) > moment)

    def _at(self, number: int) -> datetime:
        step = _STEPS.get(Repeat(self.repeat), timedelta())
        return (self.first + number * step).replace(tzinfo=self.zone).astimezone(UTC)
