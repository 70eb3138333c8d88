"""Many jobs of one kind, accepted in one transaction and known by the first one's id: all share its time."""

from tests.stack import django_code, postgres, waiting
from tests.stack.stack import Stack

_COUNT = """
SELECT count(*) FROM warren_job
WHERE state = :'state' AND created_at = (SELECT created_at FROM warren_job WHERE id = :'first')
"""
_SPAN_S = """
SELECT extract(epoch FROM max(finished_at) - min(started_at)) FROM warren_job
WHERE created_at = (SELECT created_at FROM warren_job WHERE id = :'first')
"""
_MOST_AT_ONCE = """
WITH batch AS (
    SELECT * FROM warren_job WHERE created_at = (SELECT created_at FROM warren_job WHERE id = :'first')
)
SELECT max(together) FROM (
    SELECT count(*) AS together
    FROM batch a JOIN batch b ON b.started_at <= a.started_at AND b.finished_at > a.started_at
    GROUP BY a.id
) counted
"""
DRAINED_WITHIN_S = 180


def submit(stack: Stack, task: str, *, count: int, **kwargs: float) -> str:
    """Accept this many jobs; returns the first one's id."""
    options = "".join(f", {name}={value}" for name, value in kwargs.items())
    code = f"from apps.probe import by_code\nanswer = by_code.many({task!r}, count={count}{options})[0]"
    return str(django_code.run(stack, code))


def number_in(stack: Stack, first: str, *, state: str) -> int:
    """How many of the batch are in this state."""
    return int(postgres.number(stack, _COUNT, state=state, first=first))


def wait(stack: Stack, first: str, *, count: int, state: str) -> None:
    """Wait until this many of the batch are in this state."""
    waiting.until(
        lambda: number_in(stack, first, state=state) == count,
        within_s=DRAINED_WITHIN_S,
        what=f"{count} jobs are {state}",
    )


def span_s(stack: Stack, first: str) -> float:
    """Seconds from the first start to the last finish."""
    return postgres.number(stack, _SPAN_S, first=first)


def most_at_once(stack: Stack, first: str) -> int:
    """How many of the batch ran at the same moment, at most."""
    return int(postgres.number(stack, _MOST_AT_ONCE, first=first))
