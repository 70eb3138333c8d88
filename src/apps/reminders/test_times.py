"""When a reminder is due, summer time and all."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.reminders.models import Repeat
from apps.reminders.times import Course

BERLIN = ZoneInfo("Europe/Berlin")
EIGHT = datetime(2026, 3, 27, 8, 0)  # noqa: DTZ001  a clock on a wall; summer time begins on the 29th


def _utc(day: int, hour: int, minute: int = 0, *, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def test_once_is_once() -> None:
    course = Course(first=EIGHT, zone=BERLIN, repeat=Repeat.ONCE)

    assert course.next_after(_utc(1, 0)) == _utc(27, 7)
    assert course.last_until(_utc(27, 6, 59)) is None
    assert course.next_after(_utc(27, 7)) is None
    assert course.last_until(_utc(31, 0)) == _utc(27, 7)


def test_daily_stays_eight_o_clock_when_summer_time_begins() -> None:
    course = Course(first=EIGHT, zone=BERLIN, repeat=Repeat.DAILY)

    assert [course.next_after(_utc(day, 12)) for day in (26, 27, 28, 29)] == [
        _utc(27, 7),
        _utc(28, 7),
        _utc(29, 6),
        _utc(30, 6),
    ]


def test_weekly_keeps_its_day() -> None:
    course = Course(first=EIGHT, zone=BERLIN, repeat=Repeat.WEEKLY)

    assert course.next_after(_utc(27, 7)) == _utc(3, 6, month=4)
    assert course.last_until(_utc(2, 12, month=4)) == _utc(27, 7)


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (datetime(2026, 3, 29, 2, 30), _utc(29, 1, 30)),  # noqa: DTZ001  left out: half past three of summer time
        (datetime(2026, 10, 25, 2, 30), _utc(25, 0, 30, month=10)),  # noqa: DTZ001  twice: the first counts
    ],
)
def test_a_time_that_a_clock_leaves_out_or_shows_twice_is_one_time(first: datetime, expected: datetime) -> None:
    course = Course(first=first, zone=BERLIN, repeat=Repeat.DAILY)

    assert course.next_after(_utc(1, 0)) == expected
    assert course.next_after(expected) - expected > timedelta(hours=22)  # type: ignore[operator]  # there is a next one


@given(
    first=st.datetimes(min_value=datetime(2024, 1, 1), max_value=datetime(2028, 1, 1)),  # noqa: DTZ001  a wall's clock
    after=st.timedeltas(min_value=timedelta(days=-900), max_value=timedelta(days=900)),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
    repeat=st.sampled_from(list(Repeat)),
)
def test_a_moment_lies_between_the_last_time_and_the_next(
    first: datetime, after: timedelta, zone: str, repeat: Repeat
) -> None:
    course = Course(first=first, zone=ZoneInfo(zone), repeat=repeat)
    moment = first.replace(tzinfo=UTC) + after

    last, following = course.last_until(moment), course.next_after(moment)

    assert last is not None or following is not None
    assert last is None or last <= moment
    assert following is None or following > moment
    if repeat != Repeat.ONCE and last and following:
        length = timedelta(days=7 if repeat == Repeat.WEEKLY else 1)
        assert abs(following - last - length) <= timedelta(hours=1)
