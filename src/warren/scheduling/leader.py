"""Which beat fires: any number may run, one leads.

States of a beat:
    following   asks every second for the lock, and reads nothing of the schedule
    leading     holds the lock; renews its row (`warren_schedule_leader`: who, since when, last seen) every second

Owner: beat's main thread. The lock is a session-level advisory lock of the very session that writes the ticks. So there
is no moment in which a beat could still write and no longer lead: whatever ends its leadership ends its session, and
Postgres rolls back the tick that was being written.

    leader killed               its session ends at once, the lock with it: a follower leads within a second
    leader frozen, cut off,     the session stays, because nobody tells Postgres. Its row grows stale: a follower ends
    or its machine is gone      the session after STALE_AFTER, and leads a second later
    it thaws, or is back        its next statement fails. It connects anew, and follows
    it connects anew unseen     renewing tells: the new session does not hold the lock
    Postgres restarts           all sessions end; whoever is back first leads
    the row is deleted          the leader steps down, and one of them takes the lock and writes the row again

All times here are Postgres'; the beats' own clocks are not asked.
"""

import logging
import time
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from warren.scheduling.clock import Clock

LOOK_EVERY_S = 1.0  # renewing and asking: how late a free lock is noticed
STALE_AFTER = timedelta(seconds=8)  # a busy machine may be late by a few looks; with two more, 10 s of failover

_KEY = 7_238_001  # any number, the same in every beat, and nobody else's: reconciler and its like have 7_237_…

# The lock, as pg_locks shows that of a number below 2^32.
_IS_OUR_LOCK = f"""
locktype = 'advisory' AND classid = 0 AND objid = {_KEY} AND objsubid = 1 AND granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""  # noqa: S608  only constants of this module are put in

# Takes the lock if it is free, and then signs the row; in one statement, so that no client can freeze between the two.
_TAKE = f"""
WITH lock AS MATERIALIZED (SELECT pg_try_advisory_lock({_KEY}) AS is_ours)
INSERT INTO warren_schedule_leader AS row (id, name, backend_pid, since, seen_at)
SELECT 1, %(name)s, pg_backend_pid(), clock_timestamp(), clock_timestamp() FROM lock WHERE is_ours
ON CONFLICT (id) DO UPDATE SET name = excluded.name, backend_pid = excluded.backend_pid,
                               since = excluded.since, seen_at = excluded.seen_at
RETURNING seen_at
"""  # noqa: S608  only constants of this module are put in

# Renews the row of a session that still holds the lock.
_RENEW = f"""
UPDATE warren_schedule_leader SET seen_at = clock_timestamp()
WHERE backend_pid = pg_backend_pid()
  AND EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND {_IS_OUR_LOCK})
RETURNING seen_at
"""  # noqa: S608  only constants of this module are put in

# Ends the session of a leader that was last seen too long ago. A role may end its own sessions.
_END_STALE = f"""
SELECT leader.name, pg_terminate_backend(leader.backend_pid)
FROM warren_schedule_leader leader JOIN pg_locks ON pid = leader.backend_pid
WHERE leader.seen_at < clock_timestamp() - %(stale_after)s AND {_IS_OUR_LOCK}
"""  # noqa: S608  only constants of this module are put in

# Within a transaction: true for the session that leads, and for any while none does; the transaction then has the lock.
_FENCE = f"SELECT pg_try_advisory_xact_lock({_KEY})"

_LET_GO = "SELECT pg_advisory_unlock_all()"

log = logging.getLogger(__name__)


class Leader:
    """This beat's claim to lead, on the calling thread's connection. The methods raise Django's `OperationalError`."""

    def __init__(self, *, name: str, clock: Clock) -> None:
        """`name` is what the row tells people; `clock` is set at each renewal."""
        self.leads = False
        self._name = name
        self._clock = clock
        self._renewed_at = float("-inf")
        self._knows_of_another = False

    def hold(self) -> bool:
        """Renew the leadership, or try to take it; whether this beat leads now."""
        if not self.leads:
            return self._take()
        return time.monotonic() - self._renewed_at < LOOK_EVERY_S or self._renew()

    def may_write(self) -> bool:
        """Whether what the current transaction writes stands alone: until its end no other beat leads."""
        (granted,) = _ask(_FENCE) or (False,)
        self.leads = self.leads and bool(granted)
        return bool(granted)

    def forget(self) -> None:
        """The connection is gone, and the leadership with it."""
        self.leads = False

    def _take(self) -> bool:
        if taken := _ask(_TAKE, name=self._name):
            log.info("%s leads the schedule", self._name)
            self._signed(taken[0])
            return True
        if stale := _ask(_END_STALE, stale_after=STALE_AFTER):
            log.warning("%s was not seen for %s; its session is ended", stale[0], STALE_AFTER)
        elif not self._knows_of_another:
            log.info("another beat leads the schedule; %s stands by", self._name)
        self._knows_of_another = True
        return False

    def _renew(self) -> bool:
        if renewed := _ask(_RENEW):
            self._signed(renewed[0])
            return True
        log.warning("%s has lost the lead", self._name)
        self.leads = False
        _ask(_LET_GO)
        return False

    def _signed(self, at: datetime) -> None:
        self.leads, self._knows_of_another, self._renewed_at = True, False, time.monotonic()
        self._clock.set(at)


def _ask(statement: str, **values: Any) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row
