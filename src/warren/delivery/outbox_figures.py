"""How the outbox stands: asked by metrics, which count all, and by pages and the doctor, which stop somewhere."""

from dataclasses import dataclass

from warren.delivery.queue_figures import Cursor

# The oldest of all is the oldest that is due, if any is; both through the index of what is due.
_DUE = """
SELECT (SELECT count(*) FROM (
            SELECT FROM warren_outbox WHERE available_at <= statement_timestamp() LIMIT %(most)s
        ) AS due),
       greatest(extract(epoch FROM statement_timestamp() - (SELECT min(available_at) FROM warren_outbox)), 0)::float8
"""

_LATER = "SELECT count(*) FROM warren_outbox WHERE available_at > statement_timestamp()"


@dataclass(frozen=True, kw_only=True)
class Due:
    """Messages that are due and that the broker has not confirmed, and for how long the oldest has been due."""

    count: int
    oldest_wait_s: float


def due(cursor: Cursor, *, most: int | None) -> Due:
    """So many are counted at most, None: all. Raises the errors of the cursor's connection."""
    cursor.execute(_DUE, {"most": most})
    ((count, oldest_wait_s),) = cursor.fetchall()
    return Due(count=count, oldest_wait_s=oldest_wait_s)


def later(cursor: Cursor) -> int:
    """How many are not due yet."""
    cursor.execute(_LATER, {})
    ((count,),) = cursor.fetchall()
    return int(count)
