"""What became of the jobs, and when they came: the numbers of a report's chart, counted by Postgres."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Avg, Count, F
from django.db.models.functions import Trunc
from django.utils import timezone

from apps.reports.scope import Scope
from warren.delivery.states import State

# States as a reader of a chart tells them apart, in the order in which bars are stacked.
OUTCOMES: dict[str, tuple[State, ...]] = {
    "succeeded": (State.SUCCEEDED,),
    "failed": (State.FAILED, State.DEAD),
    "cancelled or expired": (State.CANCELLED, State.EXPIRED),
    "not finished": (State.ACCEPTED, State.QUEUED, State.RUNNING, State.RETRYING),
}
_OF_STATE = {state: outcome for outcome, states in OUTCOMES.items() for state in states}

# No chart has more than 54 bars: Postgres' name of the step, how long it is, and the longest range that it is used for.
_STEPS = (
    ("hour", timedelta(hours=1), timedelta(hours=48)),
    ("day", timedelta(days=1), timedelta(days=45)),
    ("week", timedelta(weeks=1), timedelta.max),
)


@dataclass(frozen=True, kw_only=True)
class Summary:
    """`bars` are the beginnings of equal steps of time, each with how many jobs of each outcome came in it."""

    step: str
    bars: dict[datetime, Counter[str]]
    mean_run_s: float | None

    def total(self, outcome: str) -> int:
        return sum(bar[outcome] for bar in self.bars.values())


def of(scope: Scope) -> Summary:
    """Count the scope's jobs; days begin at midnight in TIME_ZONE."""
    step, length = next((name, length) for name, length, longest in _STEPS if scope.end - scope.start <= longest)
    bars: dict[datetime, Counter[str]] = {begin: Counter() for begin in _beginnings(scope, step, length)}
    jobs = scope.jobs().order_by()
    counted = jobs.annotate(begin=Trunc("created_at", step)).values_list("begin", "state").annotate(count=Count("pk"))
    for begin, state, count in counted:
        bars.setdefault(begin, Counter())[_OF_STATE[State(state)]] += count
    mean = jobs.aggregate(mean=Avg(F("finished_at") - F("started_at")))["mean"]
    return Summary(step=step, bars=dict(sorted(bars.items())), mean_run_s=mean.total_seconds() if mean else None)


def _beginnings(scope: Scope, step: str, length: timedelta) -> list[datetime]:
    """Also of steps in which nothing came. On the wall's clock, so that a day of 23 hours is a day."""
    zone = timezone.get_current_timezone()
    begin = scope.start.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    if step != "hour":
        begin = begin.replace(hour=0)
    if step == "week":
        begin -= timedelta(days=begin.weekday())
    found = []
    while begin < scope.end:
        found.append(begin)
        begin += length
    return found
