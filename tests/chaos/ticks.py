"""What the schedule did in a run: its ticks must come once each, and go on."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos import settling
from tests.chaos.ledger import Ledger
from tests.stack import postgres, waiting
from tests.stack.stack import Stack

EVERY_S = 2.0  # tests/chaos/app/schedule.py
NEXT_WITHIN_S = 60  # of a beat that must start first

_TICKS = """
SELECT count(*), coalesce(extract(epoch FROM max(gap)), 0), coalesce(extract(epoch FROM sum(gap)), 0)
FROM (
    SELECT created_at - lag(created_at) OVER (ORDER BY created_at) AS gap
    FROM warren_job WHERE task = 'ledger.io.tick' AND created_at >= :'since'
) gaps
"""
_FIRED = """
SELECT total_run_count - (SELECT count(*) FROM warren_job WHERE task = 'ledger.io.tick')
FROM django_celery_beat_periodictask WHERE name = 'ledger-tick'
"""


@dataclass(frozen=True, kw_only=True)
class Ticks:
    """How many there were, in what time, and the longest between two. `unmatched`: runs noted without a job, or jobs
    without a run.
    """

    count: int
    longest_gap_s: float
    span_s: float
    unmatched: int

    @property
    def too_many(self) -> float:
        """How many more there were than one beat fires, which counts from each run to the next.

        Not judged by the shortest gap: a run that a busy machine notes late is followed by the next at its time.
        """
        return self.count - 1 - self.span_s / EVERY_S


def of(stack: Stack, *, since: str) -> Ticks:
    """The ticks since a moment of Postgres' clock."""
    ((count, longest, span),) = postgres.ask(stack, _TICKS, since=since)
    unmatched = int(postgres.number(stack, _FIRED))
    return Ticks(count=int(count), longest_gap_s=float(longest), span_s=float(span), unmatched=unmatched)


def under(ledger: Ledger, fault: str, strike: Callable[[], None], *, times: int = 4, each_s: float = 10) -> Ticks:
    """The ticks of a ledger's run in which each strike is over when the schedule goes on; each fired once."""
    since = settling.now(ledger.stack)

    def strike_and_wait() -> None:
        strike()
        before = of(ledger.stack, since=since).count
        waiting.until(
            lambda: of(ledger.stack, since=since).count > before, within_s=NEXT_WITHIN_S, what="the schedule goes on"
        )

    ledger.under(fault, strike_and_wait, times=times, each_s=each_s)
    seen = of(ledger.stack, since=since)
    assert seen.unmatched == 0, seen  # noqa: S101  this is the tests' own assertion
    assert seen.too_many < 1, seen  # noqa: S101  the same
    return seen
