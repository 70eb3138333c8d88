"""Migrating a database that others work on: a migration asks for its locks, and does not insist.

An ALTER TABLE that waits behind a long transaction, or behind a pg_dump, lets everybody who comes later wait behind
itself. So each statement waits for LOCK_TIMEOUT at most and is tried again later. What a failed try has begun:

    an atomic migration           Postgres undid it; it begins anew, after those that are done
    one with `atomic = False`     that statement alone is tried again: those before it are committed
    CREATE INDEX CONCURRENTLY     waits for as long as it must: nobody waits behind it, and cut short it leaves an
                                  index that is not valid
"""

import logging
from collections.abc import Callable
from typing import Any

from django.core.management import call_command
from django.db import OperationalError, connection
from psycopg import errors

from warren.config.provisioning import patience
from warren.telemetry.logs import LogStream

LOCK_TIMEOUT_S = 5.0  # the longest that somebody else waits behind us
PAUSE_S = 10.0  # in which they work; longer than the wait, so that they have most of the time
LONGEST_PAUSES_S = 150.0  # with the waits between them under four minutes: `up` gives up on a start after five

# a deadlock is a lock that is not to be had, found out sooner
_NOT_TO_BE_HAD = (errors.LockNotAvailable, errors.DeadlockDetected)

# who has locked one of our tables, for long enough to be the one: Postgres no longer says for whom we waited
_HOLDERS = """
SELECT format('%%s (%%s, %%s) has locked %%s for %%s s', pid, usename, coalesce(state, 'doing what it does not tell'),
    string_agg(DISTINCT relation::regclass::text, ', '),
    coalesce(round(extract(epoch FROM now() - xact_start))::text, '?'))
FROM pg_locks JOIN pg_class ON pg_class.oid = relation JOIN pg_stat_activity USING (pid)
WHERE granted AND locktype = 'relation' AND datname = current_database() AND pid <> pg_backend_pid()
    AND relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
    AND (xact_start IS NULL OR xact_start < now() - make_interval(secs => %s))
GROUP BY pid, usename, state, xact_start ORDER BY xact_start
"""

log = logging.getLogger(__name__)

type _Execute = Callable[..., Any]


def migrate(*, verbosity: int = 1) -> None:
    """Apply what is missing. Raises `patience.StoppedError`, which names who holds a lock, if one is not to be had."""
    with connection.execute_wrapper(_ask_for_locks):
        try:
            _try_until_done(
                lambda: call_command("migrate", interactive=False, verbosity=verbosity, stdout=LogStream(log))
            )
        finally:
            _wait_for_locks(0)


def _try_until_done(do: Callable[[], Any]) -> None:
    patience.wait_until_nothing_is_missing(lambda: _missing_after(do), longest_s=LONGEST_PAUSES_S, look_every_s=PAUSE_S)


def _missing_after(do: Callable[[], Any]) -> list[str]:
    """Nothing if it was done; if locks were not to be had, who has them."""
    _wait_for_locks(LOCK_TIMEOUT_S)
    try:
        do()
    except OperationalError as exc:
        if not isinstance(exc.__cause__, _NOT_TO_BE_HAD):
            raise
        return [f"a lock: {exc.__cause__.diag.message_primary}", *_holders()]
    return []


def _ask_for_locks(execute: _Execute, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:  # noqa: FBT001  Django's
    """Around each statement of a migration."""
    if "CONCURRENTLY" in str(sql).upper():
        _wait_for_locks(0)
        try:
            return execute(sql, params, many, context)
        finally:
            _wait_for_locks(LOCK_TIMEOUT_S)
    if connection.in_atomic_block:
        return execute(sql, params, many, context)
    return _alone(lambda: execute(sql, params, many, context))


def _alone(execute: Callable[[], Any]) -> Any:
    """A statement that is its own transaction."""
    answers: list[Any] = []
    _try_until_done(lambda: answers.append(execute()))
    return answers[0]


def _wait_for_locks(longest_s: float) -> None:
    connection.ensure_connection()
    connection.connection.execute(f"SET lock_timeout = {round(longest_s * 1000)}")


def _holders() -> list[str]:
    connection.ensure_connection()
    return [row[0] for row in connection.connection.execute(_HOLDERS, [LOCK_TIMEOUT_S]).fetchall()]
