"""Beat: does one lead, and does the schedule fire?"""

from warren.doctor import commands, postgres
from warren.doctor.checks.schema import MIGRATED
from warren.doctor.finding import Check, Finding, fail, ok
from warren.jobs.spans import in_words
from warren.scheduling.leader import STALE_AFTER

# a follower takes over within two looks after that
SILENT_S = STALE_AFTER.total_seconds() + 4
LOOK = commands.restart("beat")

_LEADER = """
SELECT name, extract(epoch FROM now() - since)::float8, extract(epoch FROM now() - seen_at)::float8
FROM warren_schedule_leader
"""
_ENTRIES = """
SELECT count(*) FILTER (WHERE enabled), (array_agg(name ORDER BY last_run_at DESC NULLS LAST))[1],
       extract(epoch FROM now() - max(last_run_at))::float8
FROM django_celery_beat_periodictask
"""


def leads() -> Finding:
    """A beat renews its claim to lead each second."""
    with postgres.asked() as asked:
        leader = asked.execute(_LEADER).fetchone()
        enabled, last, ago_s = asked.execute(_ENTRIES).fetchone() or (0, None, None)
    if leader is None:
        return fail("no beat has ever led: nothing scheduled fires", do=LOOK)
    name, since_s, silent_s = leader
    if silent_s > SILENT_S:
        return fail(f"{name} led, and is silent for {in_words(silent_s)}: nothing scheduled fires", do=LOOK)
    fired = f"the last that fired: {last}, {in_words(ago_s)} ago" if ago_s is not None else "none has fired yet"
    return ok(f"{name} leads since {in_words(since_s)}; {enabled} entries, {fired}")


CHECKS = (Check(name="beat.leads", examine=leads, needs=(MIGRATED,)),)
