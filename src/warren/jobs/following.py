"""Which jobs changed their state, as it happens: for `manage.py jobs tail`.

Postgres tells of changes (a trigger, `delivery/listening.py`), but not of every one: not of a job that is new, nor of
what happened while the connection was away. So it is asked each second as well, which rows were written since: by the
transaction that wrote them, not by their timestamps, because those are of the transaction's beginning, and a long one
commits long after. What was told of and what was found are the same changes; each is given once.

    told of, and gone on since   given too: a final state is not lost to a retry that follows at once
    a long transaction is open   what was written since its beginning is found again and again; `_seen` knows it
    the connection is lost       `PostgresAwayError`; the next look connects anew, and finds all that ended meanwhile
    Postgres is a backup         its transactions are numbered from an earlier one: all within `FAR_BACK` is looked at

Owner of the connection: the thread that iterates.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg

from warren.delivery import direct
from warren.delivery.listening import CHANNEL
from warren.delivery.states import State
from warren.jobs import passed
from warren.jobs.changed_rows import ChangedRows, Row, Which

LOOK_EVERY_S = 1.0
GATHER_S = 0.05  # what is told within it is read at once
RECENT = timedelta(seconds=10)  # ended jobs are looked through so far back, each second
FAR_BACK = timedelta(hours=2)  # and so far after the connection was lost: longer than a transaction lasts
REMEMBERED = 200_000  # jobs whose last state is known: some 50 MB


class PostgresAwayError(Exception):
    """Postgres cannot be asked; ask again."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """A job came to a state. `row` is its row when it was read, which may have gone on since."""

    state: State
    row: Row


class Follower:
    """Gives what changes from its first look on; of jobs that are named, their present state too."""

    def __init__(self, which: Which) -> None:
        self._which = which
        self._connection: psycopg.Connection[Any] | None = None
        self._since: str | None = None
        # id → the last state that was given, and what marks the row
        self._seen: OrderedDict[str, tuple[State, tuple[Any, ...]]] = OrderedDict()

    def changes(self) -> list[Change]:
        """What has changed; waits for it, a second at most. Raises `PostgresAwayError`."""
        try:
            if self._connection is None:
                self._connection = direct.connect("tail")
                self._connection.execute(f"LISTEN {CHANNEL}")
                return list(self._catch_up(ChangedRows(self._connection, self._which)))
            told = _hear(self._connection)
            return list(self._look(ChangedRows(self._connection, self._which), told=told, back=RECENT))
        except psycopg.Error as exc:
            self.close()
            raise PostgresAwayError(str(exc)) from exc

    def close(self) -> None:
        """Drop the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _catch_up(self, rows: ChangedRows) -> Iterator[Change]:
        if self._since is not None:
            yield from self._look(rows, told={}, back=FAR_BACK)
            return
        self._since = rows.now()
        present = list(self._news(rows.present(), told={}))
        if self._which.ids:
            yield from present

    def _look(self, rows: ChangedRows, *, told: Mapping[str, list[State]], back: timedelta) -> Iterator[Change]:
        assert self._since is not None  # noqa: S101  for the type checker: whoever catches up has set it
        now = rows.now()
        found = rows.since(self._since, back=back)
        known = {row["id"] for row in found}
        found += rows.of([job_id for job_id in told if job_id not in known])
        self._since = now
        yield from self._news(found, told=told)

    def _news(self, rows: list[Row], *, told: Mapping[str, list[State]]) -> Iterator[Change]:
        for row in sorted(rows, key=_moment):
            state, mark = State(row["state"]), (row["state"], row["attempt"], row["finished_at"])
            before, seen = self._seen.get(row["id"], (None, None))
            if seen == mark:
                continue
            self._remember(row["id"], state, mark)
            for earlier in passed.states(told.get(row["id"], []), before=before, now=state):
                yield Change(state=earlier, row=row)
            yield Change(state=state, row=row)

    def _remember(self, job_id: str, state: State, mark: tuple[Any, ...]) -> None:
        self._seen[job_id] = state, mark
        self._seen.move_to_end(job_id)
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)


def _hear(connection: psycopg.Connection[Any]) -> dict[str, list[State]]:
    """The states that jobs came to, in order. A burst is heard out."""
    told: defaultdict[str, list[State]] = defaultdict(list)
    for timeout_s, stop_after in ((LOOK_EVERY_S, 1), (GATHER_S, None)):
        for notification in connection.notifies(timeout=timeout_s, stop_after=stop_after):
            state, _, job_id = notification.payload.split(" ", 2)
            if state in State:
                told[job_id].append(State(state))
    return told


def _moment(row: Row) -> Any:
    return row["finished_at"] or row["started_at"] or row["created_at"]
