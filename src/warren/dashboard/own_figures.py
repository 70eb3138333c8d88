"""How somebody's own jobs stand."""

from collections.abc import Mapping

from django.db import connection

from warren.dashboard.job_pages import LOOKED_AT
from warren.delivery.states import State

# The newest of them, through the index of their owner.
_COUNT = """
SELECT state, count(*) FROM (
    SELECT state FROM warren_job WHERE owner_id = %(owner)s ORDER BY created_at DESC, id DESC LIMIT %(most)s
) AS newest
GROUP BY state
"""


def of(owner_id: int) -> Mapping[str, int]:
    """State → how many of the newest `LOOKED_AT` jobs are in it; every state is there."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"owner": owner_id, "most": LOOKED_AT})
        return dict.fromkeys(State.values, 0) | dict(cursor.fetchall())
