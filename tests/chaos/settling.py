"""Waits until a stack has come to rest, and tells what has not."""

import time

from tests.chaos import brokers
from tests.stack import postgres, waiting
from tests.stack.stack import CommandFailedError, Stack

SETTLED_WITHIN_S = 180  # a lost message is noticed after a minute, and backs off at most ten seconds
RECOVERED_WITHIN_S = 90
DRAINED_WITHIN_S = 30
LOOK_EVERY_S = 1.0

# The schedule goes on meanwhile, so a tick's job may be young and open.
YOUNG = "10 seconds"
_OPEN = f"""
SELECT count(*) FROM warren_job
WHERE state NOT IN ('succeeded', 'failed', 'cancelled', 'expired', 'dead') AND created_at >= :'since'
  AND (task <> 'ledger.io.tick' OR created_at < now() - interval '{YOUNG}')
"""  # noqa: S608  a constant of this module
_OUTBOX = f"""
SELECT job_id, failures, last_error FROM warren_outbox WHERE available_at < now() - interval '{YOUNG}'
"""  # noqa: S608  a constant of this module
_TICKS_TWICE = """
SELECT key, count(*) FROM ledger_effect WHERE key LIKE 'tick %' GROUP BY key HAVING count(*) > 1
"""


def now(stack: Stack) -> str:
    """Postgres' clock."""
    ((moment,),) = postgres.ask(stack, "SELECT clock_timestamp()")
    return moment


def wait_until_final(stack: Stack, *, since: str, within_s: float) -> bool:
    """Whether every job that was accepted since then became final in time."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if not postgres.number(stack, _OPEN, since=since):
                return True
        except CommandFailedError:
            pass  # Postgres is not back yet
        time.sleep(LOOK_EVERY_S)
    return False


def find_rests(stack: Stack) -> list[str]:
    """What is not as it is in a stack at rest; empty if all is."""
    found = _unwell(stack)
    found += [f"in the outbox: {' '.join(row)}" for row in postgres.ask(stack, _OUTBOX)]
    found += [f"a tick took effect twice: {' '.join(row)}" for row in postgres.ask(stack, _TICKS_TWICE)]
    brokers.let_count(stack)
    try:
        waiting.until(lambda: not brokers.messages(stack), within_s=DRAINED_WITHIN_S, what="no message in the broker")
    except AssertionError:
        found.append(f"in the broker: {brokers.messages(stack)}")
    return found


def _unwell(stack: Stack) -> list[str]:
    def all_well() -> bool:
        return not _not_healthy(stack)

    try:
        waiting.until(all_well, within_s=RECOVERED_WITHIN_S, what="every service is healthy again")
    except AssertionError:
        return [f"not healthy: {_not_healthy(stack)}"]
    return []


def _not_healthy(stack: Stack) -> list[str]:
    lasting = [each for each in stack.containers() if each.Service not in ("secrets", "migrate")]
    return [f"{each.Name} {each.State} {each.Health}" for each in lasting if each.Health != "healthy"]
