"""What the schedule did in a run: its ticks must come once each, and go on."""

from dataclasses import dataclass

from tests.integration import postgres
from tests.integration.stack import Stack

_TICKS = """
SELECT count(*), coalesce(extract(epoch FROM max(gap)), 0), coalesce(extract(epoch FROM min(gap)), 0)
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
    """How many there were, and the gaps between them. `unmatched`: runs noted without a job, or jobs without a run."""

    count: int
    longest_gap_s: float
    shortest_gap_s: float
    unmatched: int


def of(stack: Stack, *, since: str) -> Ticks:
    """The ticks since a moment of Postgres' clock."""
    ((count, longest, shortest),) = postgres.ask(stack, _TICKS, since=since)
    unmatched = int(postgres.number(stack, _FIRED))
    return Ticks(count=int(count), longest_gap_s=float(longest), shortest_gap_s=float(shortest), unmatched=unmatched)
