"""The numbers of the chart."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.reports import chart, summary
from apps.reports.conftest import make_job
from apps.reports.scope import Scope
from warren.delivery.states import State

pytestmark = pytest.mark.django_db

DAY = datetime(2026, 5, 1, tzinfo=UTC)


def _of(owner: Any, *, start: datetime = DAY, days: float) -> summary.Summary:
    return summary.of(Scope(owner_id=owner.pk, start=start, end=start + timedelta(days=days)))


@pytest.mark.parametrize(
    ("days", "step", "bars"), [(1, "hour", 24), (2, "hour", 48), (7, "day", 7), (45, "day", 45), (366, "week", 53)]
)
def test_its_steps_suit_the_range(user: Any, days: int, step: str, bars: int) -> None:
    told = _of(user, days=days)

    assert (told.step, len(told.bars)) == (step, bars)
    assert told.mean_run_s is None


def test_it_counts_outcomes_where_they_came(user: Any) -> None:
    for number, state in enumerate(State):
        make_job(user, job_id=f"{number}", at=DAY + timedelta(days=number % 2, hours=3), state=state)

    told = _of(user, days=3)

    assert {outcome: told.total(outcome) for outcome in summary.OUTCOMES} == {
        "succeeded": 1,
        "failed": 2,
        "cancelled or expired": 2,
        "not finished": 4,
    }
    assert [bar.total() for bar in told.bars.values()] == [5, 4, 0]
    assert told.mean_run_s == 2


def test_a_day_begins_at_midnight_here_also_when_the_clocks_change(user: Any) -> None:
    with timezone.override("Europe/Berlin"):
        start = datetime(2026, 3, 28, tzinfo=timezone.get_current_timezone())  # the next day has 23 hours
        make_job(user, job_id="late", at=datetime(2026, 3, 29, 21, 59, tzinfo=UTC))
        make_job(user, job_id="next", at=datetime(2026, 3, 29, 22, 0, tzinfo=UTC))
        told = _of(user, start=start, days=3)

    assert [bar.total() for bar in told.bars.values()][:3] == [0, 1, 1]
    assert [begin.hour for begin in told.bars] == [0] * len(told.bars)


def test_its_chart_can_be_drawn_for_every_range(user: Any) -> None:
    for days in (0.01, 2, 45, 366):
        drawing = chart.draw(_of(user, days=days), width=500, height=200)

        content: Any = drawing.asString("pdf")  # bytes, whatever its stub says
        assert content.startswith(b"%PDF-")
