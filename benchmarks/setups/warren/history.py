"""Fills Warren's tables as months of use would: `python -m history`, in a container that may write them.

The rows are copies of a job that really ran and of one that really waits, so they are whole whatever columns there are.
"""

from typing import Any

import django

django.setup()

from apps.bench import tasks  # noqa: E402  needs Django
from django.db import connection, transaction  # noqa: E402  needs Django

FINISHED = 1_000_000
WAITING = 100_000
DUE_IN_S = 30 * 24 * 3600
TIMEOUT_S = 180  # the worker may be starting

# random ids and the spread of thirty days, as real ones have
_FINISHED = """
INSERT INTO warren_job
SELECT made.* FROM warren_job AS model, generate_series(1, %(count)s) AS number,
LATERAL jsonb_populate_record(model, jsonb_build_object(
    'id', gen_random_uuid(), 'task', 'history.echo',
    'created_at', now() - number * interval '2.6 s', 'queued_at', now() - number * interval '2.6 s',
    'started_at', now() - number * interval '2.6 s', 'finished_at', now() - number * interval '2.6 s'
)) AS made
WHERE model.id = %(model)s
"""
_WAITING = """
INSERT INTO warren_job
SELECT made.* FROM warren_job AS model, generate_series(1, %(count)s) AS number,
LATERAL jsonb_populate_record(
    model, jsonb_build_object('id', 'history-' || number, 'task', 'history.echo')
) AS made
WHERE model.id = %(model)s
"""
# far above what the table's own counter will reach
_OUTBOX = """
INSERT INTO warren_outbox
SELECT made.* FROM warren_outbox AS model, generate_series(1, %(count)s) AS number,
LATERAL jsonb_populate_record(
    model, jsonb_build_object('id', 1000000000 + number, 'job_id', 'history-' || number)
) AS made
WHERE model.job_id = %(model)s
"""


def main() -> None:
    """Needs a worker that runs."""
    ran = tasks.echo.delay(0)
    ran.get(timeout=TIMEOUT_S)
    waits = tasks.echo.apply_async((0,), countdown=DUE_IN_S)
    with transaction.atomic():
        _execute(_FINISHED, count=FINISHED, model=ran.id)
        for statement in (_WAITING, _OUTBOX):
            _execute(statement, count=WAITING, model=waits.id)


def _execute(statement: str, **values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        if cursor.rowcount != values["count"]:
            raise RuntimeError(f"{cursor.rowcount} rows instead of {values['count']}: the model row is gone")


if __name__ == "__main__":
    main()
