"""Postgres: does it answer, has it room for connections, is its clock ours?"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from django.db import connection

from warren.doctor import commands, postgres
from warren.doctor.finding import Check, Finding, fail, ok, warn

REACHABLE = "postgres.reachable"
OLDEST = 150_000  # `NULLS NOT DISTINCT` in our migrations
NEARLY_ALL = 0.8
SKEW_WARN, SKEW_FAIL = timedelta(seconds=2), timedelta(seconds=30)

START = commands.start("postgres")
SESSIONS = (
    "docker compose exec postgres psql -U warren warren -c"
    " 'select usename, application_name, count(*) from pg_stat_activity group by 1, 2 order by 3 desc'"
)
# part of Postgres' message → what to do; the first that fits
_REMEDIES = (
    ("password authentication failed", "docker compose up --detach --force-recreate secrets migrate && make up"),
    ("does not exist", "docker compose up migrate"),
    ("too many", SESSIONS),
    ("slots are reserved", "docker compose restart web  # it lets its connections go; then lower WEB_DB_POOL_SIZE"),
    ("timeout", commands.restart("postgres")),
)

_ABOUT = """
SELECT pg_size_pretty(pg_database_size(current_database())), current_user,
       pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool
"""
_CONNECTIONS = """
SELECT count(*), count(*) FILTER (WHERE usename = current_user), current_setting('max_connections')::int,
       (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user)
FROM pg_stat_activity WHERE backend_type = 'client backend'
"""


def reachable() -> Finding:
    """It lets us in, and lets us write."""
    at = "{HOST}:{PORT}, database {NAME}, as {USER}".format(**connection.settings_dict)
    try:
        with postgres.asked() as asked:
            version = asked.info.server_version
            size, _user, is_read_only = _row(asked, _ABOUT)
    except psycopg.Error as exc:
        said = " ".join(str(exc).split()) or type(exc).__name__
        return fail(f"{at}: {said}", do=_remedy(said))
    told = f"PostgreSQL {version // 10_000}.{version % 10_000} on {at}, {size}"
    if is_read_only:
        return fail(f"{told}: it takes no writes", do="Point POSTGRES_HOST at the primary, or promote this one.")
    if version < OLDEST:
        return fail(f"{told}: too old", do="Upgrade it to 15 or newer; 17 is what Warren is tested with.")
    return ok(told)


def connections() -> Finding:
    """Those of all, and of our role, which has a limit of its own."""
    with postgres.asked() as asked:
        used, own, most, own_limit = _row(asked, _CONNECTIONS)
    told = f"{used} of {most} connections are used, {own} by this role"
    if own_limit > 0:
        told += f", which may have {own_limit}"
    full = used > NEARLY_ALL * most or 0 < own_limit * NEARLY_ALL < own
    return warn(told, do=SESSIONS) if full else ok(told)


def clock(now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Finding:
    """Its time counts; `now` is this machine's."""
    with postgres.asked() as asked:
        before = now()
        (theirs,) = _row(asked, "SELECT clock_timestamp()")
        ahead = skew(theirs, before=before, after=now())
    which = "behind" if ahead > timedelta(0) else "ahead of"
    told = f"this container's clock is {abs(ahead).total_seconds():.1f} s {which} Postgres'"
    do = "Set the machine's time, which its containers share: timedatectl set-ntp true"
    if abs(ahead) >= SKEW_FAIL:
        return fail(f"{told}: shown times and tokens are wrong; schedules and expiry go by Postgres'", do=do)
    return warn(told, do=do) if abs(ahead) >= SKEW_WARN else ok("this container and Postgres have the same time")


def skew(theirs: datetime, *, before: datetime, after: datetime) -> timedelta:
    """By how much their clock is ahead of ours for sure, if they looked at it between the two; negative if behind."""
    if theirs > after:
        return theirs - after
    return min(theirs - before, timedelta(0))


def _row(asked: psycopg.Connection[Any], statement: str) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = asked.execute(statement).fetchone()
    return row or ()


def _remedy(said: str) -> str:
    return next((do for part, do in _REMEDIES if part in said), START)


CHECKS = (
    Check(name=REACHABLE, examine=reachable, if_late=START),
    Check(name="postgres.connections", examine=connections, needs=(REACHABLE,)),
    Check(name="postgres.clock", examine=clock, needs=(REACHABLE,)),
)
