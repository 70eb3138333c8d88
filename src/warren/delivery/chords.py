"""The barrier of a chord: its body is sent once, in the transaction that stores the last part's outcome.

Each part's outcome is stored once (`closing.py`), and in the same transaction it counts itself here; the row's lock
puts the parts in order, so exactly one of them sees the count reach the size. Celery tells the size just before it
sends the last part, which may be after other parts have returned.

    worker dies before the commit   neither the outcome nor the count is there; the part runs again
    worker dies after the commit    the body, if it was due, is in the outbox
"""

import logging
from typing import Any

from celery import Celery, signature
from celery.exceptions import ChordError
from celery.result import GroupResult, allow_join_result
from django.db import connection

from warren.delivery import final_call

JOIN_TIMEOUT_S = 10  # every part is final, so this only bounds a mistake

log = logging.getLogger(__name__)

# Both count and size may come first; whoever completes the pair gets both numbers.
_COUNT = """
INSERT INTO warren_chord (id, returned) VALUES (%(id)s, 1)
ON CONFLICT (id) DO UPDATE SET returned = warren_chord.returned + 1
RETURNING returned, size
"""
_SIZE = """
INSERT INTO warren_chord (id, returned, size) VALUES (%(id)s, 0, %(size)s)
ON CONFLICT (id) DO UPDATE SET size = excluded.size
RETURNING returned, size
"""


def set_size(group_id: str, *, size: int) -> None:
    """How many parts must return."""
    _execute(_SIZE, {"id": group_id, "size": size})


def part_returned(app: Celery, *, group_id: str, body: Any) -> None:
    """Count one part; the last one sends the body, or fails it if a part failed."""
    returned, size = _execute(_COUNT, {"id": group_id})
    if returned != size:
        return
    callback = signature(body, app=app)
    try:
        with allow_join_result():
            results = GroupResult.restore(group_id, app=app).join(timeout=JOIN_TIMEOUT_S, propagate=True)
    except Exception as exc:  # noqa: BLE001  whatever a part raised, the body gets as ChordError
        log.info("chord %s: a part failed: %r", group_id, exc)
        error = ChordError(f"a part of chord {group_id} failed: {exc!r}")
        error.__cause__ = exc
        app.backend.chord_error_from_stack(callback, exc=error)
        final_call.send_for(callback)
    else:
        callback.delay(results)


def _execute(statement: str, row: dict[str, Any]) -> tuple[int, int | None]:
    with connection.cursor() as cursor:
        cursor.execute(statement, row)
        returned, size = cursor.fetchone()
    return returned, size
