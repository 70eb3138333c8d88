"""What `following.py` asks of Postgres: which jobs were written since, whatever their timestamps say."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

_COLUMNS = """
job.id, job.task, job.queue, job.state, job.attempt, job.worker, job.created_at, job.started_at, job.finished_at,
job.traceback, CASE WHEN job.state IN ('failed', 'dead') THEN job.result END AS result
"""
_WANTED = """
(%(ids)s::text[] IS NULL OR job.id = ANY(%(ids)s::text[])) AND (%(task)s::text IS NULL OR job.task = %(task)s::text)
AND (%(queue)s::text IS NULL OR job.queue = %(queue)s::text)
AND (%(owner)s::bigint IS NULL OR job.owner_id = %(owner)s::bigint)
"""

# `age` counts transactions back from the newest; that of a number which is still to come is negative.
_WRITTEN = """
age(job.xmin) <= CASE WHEN age(%(since)s::xid8::xid) < 0 THEN 2147483647 ELSE age(%(since)s::xid8::xid) END
"""

# Open and ended jobs apart, so that each are found by their index.
_CHANGED = f"""
SELECT {_COLUMNS} FROM warren_job AS job WHERE finished_at IS NULL AND {_WRITTEN} AND {_WANTED}
UNION ALL
SELECT {_COLUMNS} FROM warren_job AS job WHERE finished_at > now() - %(back)s AND {_WRITTEN} AND {_WANTED}
"""  # noqa: S608  only constants of this module are put in
_TOLD = f"SELECT {_COLUMNS} FROM warren_job AS job WHERE id = ANY(%(told)s) AND {_WANTED}"  # noqa: S608  the same
_NAMED = f"SELECT {_COLUMNS} FROM warren_job AS job WHERE {_WANTED}"  # noqa: S608  the same
_RUNNING = f"{_NAMED} AND finished_at IS NULL AND state = 'running'"

# The oldest transaction that had not ended: what is written by it, and by later ones, may still come to light.
_NOW = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS since"

TOLD_AT_ONCE = 5_000  # a burst is read in parts

type Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Which:
    """The jobs to follow: all that is given must fit."""

    ids: tuple[str, ...] = ()
    task: str | None = None
    queue: str | None = None
    owner: int | None = None


class ChangedRows:
    """Questions over one connection, which is the caller's; all raise `psycopg.Error`."""

    def __init__(self, connection: psycopg.Connection[Any], which: Which) -> None:
        self._connection = connection
        self._which = {**vars(which), "ids": list(which.ids) or None}

    def now(self) -> str:
        """A point in the order of transactions, to be asked for before the rows are read."""
        return str(self._ask(_NOW)[0]["since"])

    def since(self, point: str, *, back: timedelta) -> list[Row]:
        """Jobs that were written since that point, and are open or ended within `back`."""
        return self._ask(_CHANGED, since=point, back=back)

    def of(self, job_ids: list[str]) -> list[Row]:
        """These jobs."""
        parts = (job_ids[start : start + TOLD_AT_ONCE] for start in range(0, len(job_ids), TOLD_AT_ONCE))
        return [row for part in parts for row in self._ask(_TOLD, told=part)]

    def present(self) -> list[Row]:
        """All that are followed by name; else those that run, whose rows are often written without a new state."""
        return self._ask(_NAMED if self._which["ids"] else _RUNNING)

    def _ask(self, statement: str, **values: Any) -> list[Row]:
        with self._connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(statement, {**self._which, **values}).fetchall()
