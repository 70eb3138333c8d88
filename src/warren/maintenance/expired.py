"""Rows with a time of their own after which nobody asks for them."""

from django.db import connection

from warren.delivery import in_batches

# a function, because workers may not read sessions (its migration says more)
_DELETE_SESSIONS = "SELECT warren_delete_expired_sessions(%s)"

# Django makes the table (`createcachetable`), and no model of it; its index is on `expires`
_DELETE_CACHE_ROWS = """
DELETE FROM warren_cache WHERE cache_key IN (
    SELECT cache_key FROM warren_cache WHERE expires < now() ORDER BY expires LIMIT %s FOR UPDATE SKIP LOCKED
)
"""


def delete_sessions() -> int:
    """Delete sessions that are over; returns how many."""
    return in_batches.repeat(lambda: in_batches.call(_DELETE_SESSIONS))


def delete_cache_rows() -> int:
    """Delete rows of Django's cache that have expired; returns how many. Django itself only skips them."""
    return in_batches.repeat(_delete_cache_batch)


def _delete_cache_batch() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_DELETE_CACHE_ROWS, [in_batches.BATCH])
        return int(cursor.rowcount)
