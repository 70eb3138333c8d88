"""The outbox: do accepted jobs get on their way?"""

from warren.delivery import outbox_figures
from warren.doctor import commands, postgres
from warren.doctor.checks.schema import MIGRATED
from warren.doctor.finding import Check, Finding, fail, ok, warn
from warren.jobs.spans import in_words

SLOW_S, STUCK_S = 10.0, 60.0  # the relay takes what is due within a second, and backs off for ten at most
OFTEN = 3  # so many refusals are no hiccup: they come ten seconds apart
LOOK_AT_RELAY = commands.restart("relay")

MOST = 100_000  # counted: more say nothing more

# What the relay put off with a reason is not due, so not stuck: it is looked at apart.
_REFUSED = """
SELECT last_error, count(*), max(failures), min(job_id) FROM warren_outbox WHERE failures > 0
GROUP BY last_error ORDER BY count(*) DESC LIMIT 3
"""


def moves() -> Finding:
    """What is due leaves it."""
    with postgres.asked() as asked:
        due = outbox_figures.due(asked.cursor(), most=MOST)
    told = f"{due.count} messages are due, the oldest for {in_words(due.oldest_wait_s)}"
    if due.oldest_wait_s > STUCK_S:
        return fail(f"{told}: nobody takes them", do=LOOK_AT_RELAY)
    return (
        warn(told, do=LOOK_AT_RELAY) if due.oldest_wait_s > SLOW_S else ok(told if due.count else "nothing waits in it")
    )


def refused() -> Finding:
    """What the broker would not take, with its reason."""
    with postgres.asked() as asked:
        reasons = asked.execute(_REFUSED).fetchall()
    if not reasons:
        return ok("nothing was refused")
    told = "; ".join(f"{count} messages, up to {most} times: {reason}" for reason, count, most, _id in reasons)
    do = f"docker compose exec web python manage.py jobs show {reasons[0][3]}  # mend the reason, or cancel the job"
    return fail(told, do=do) if any(most >= OFTEN for _, _, most, _ in reasons) else warn(told, do=do)


CHECKS = (
    Check(name="outbox.moves", examine=moves, needs=(MIGRATED,)),
    Check(name="outbox.refused", examine=refused, needs=(MIGRATED,)),
)
