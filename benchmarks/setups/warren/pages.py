"""Fills Warren's tables with 100 000 jobs and asks for every page of the dashboard: `python -m pages`, inside web.

Prints a line of JSON for each page: for whom, how many queries, and the milliseconds that the server took.
"""

import json
import sys
import time
from statistics import median
from typing import Any

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402  needs Django
from django.db import connection, reset_queries, transaction  # noqa: E402  needs Django
from django.test import Client  # noqa: E402  needs Django

JOBS = 100_000
TIMES = 20
WARM_UP = 3
LIVE = {"HX-Request": "true"}

# Of a hundred jobs sixty have succeeded, nine failed, one is dead, and thirty wait; spread over thirty days. Each
# thousandth begins a chain of three. Arguments and messages are as long as real ones.
_JOBS = """
INSERT INTO warren_job (id, task, queue, owner_id, state, attempt, worker, arguments, message, result, traceback,
                        root_id, parent_id, group_id, created_at, available_at, queued_at, started_at, finished_at)
SELECT 'job-' || number, 'some.task.' || number %% 7, CASE WHEN number %% 2 = 0 THEN 'cpu' ELSE 'io' END, %(owner)s,
       made.state, 1, 'worker@one', '[["' || repeat('argument ', 12) || number || '"], {}]',
       '{"headers": {"id": "job-' || number || '", "padding": "' || repeat('x', 900) || '"}, "embed": {}}',
       CASE WHEN made.state IN ('failed', 'dead') THEN '{"exc_type": "ValueError", "exc_message": ["no"]}' ELSE '1' END,
       '', 'job-' || number - CASE WHEN number %% 1000 < 3 THEN number %% 1000 ELSE 0 END,
       CASE WHEN number %% 1000 IN (1, 2) THEN 'job-' || number - 1 ELSE '' END, '',
       made.at, made.at, made.at, CASE WHEN made.ended THEN made.at END, CASE WHEN made.ended THEN made.at END
FROM generate_series(1, %(jobs)s) AS number, LATERAL (
    SELECT CASE WHEN number %% 100 < 60 THEN 'succeeded' WHEN number %% 100 < 69 THEN 'failed'
                WHEN number %% 100 = 69 THEN 'dead' ELSE 'queued' END AS state,
           number %% 100 < 70 AS ended, now() - number * interval '26 s' AS at
) AS made
"""
_OUTBOX = """
INSERT INTO warren_outbox (job_id, available_at, failures, last_error)
SELECT id, now() + interval '1 day', CASE WHEN id LIKE '%%77' THEN 3 ELSE 0 END, 'NOT_FOUND' FROM warren_job
WHERE state = 'queued'
"""
_EVENTS = """
INSERT INTO warren_job_event (job_id, at, kind, actor_label, reason, attempt, worker, state, traceback)
SELECT id, now(), 'dead', '', 'its workers were lost each time', 1, '', 'dead', '' FROM warren_job WHERE state = 'dead'
"""

FOR_ALL = (
    "/overview/",
    "/jobs/",
    "/jobs/?state=failed",
    "/jobs/?state=queued&queue=io",
    "/jobs/?state=succeeded&task=some.task.3",
    "/jobs/?search=argument",
    "/jobs/?search=nowhere-at-all",
    "/jobs/?task=no.such.task",
    "/jobs/job-50001/",
    "/jobs/job-65/",
    "/bulk/retry/",
    "/bulk/retry/?search=nowhere-at-all",
    "/bulk/cancel/?queue=io",
    "/dead-letters/",
)
FOR_STAFF = ("/schedules/",)


def main() -> None:
    """Needs an empty database, whose tables it fills."""
    people: Any = get_user_model().objects
    staff = people.filter(is_superuser=True).first() or people.create_superuser("staff@example.com")
    member = people.create_user("member@example.com")
    _fill(owner=member.pk)
    for person, paths in ((staff, (*FOR_ALL, *FOR_STAFF)), (member, FOR_ALL)):
        client = Client(SERVER_NAME="localhost")
        client.force_login(person)
        for path in paths:
            for headers in ({}, LIVE) if not path.startswith("/bulk/") else ({},):
                _say(_measured(client, path, headers=headers), path=path, staff=person.is_staff, live=bool(headers))


def _fill(*, owner: int) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_JOBS, {"owner": owner, "jobs": JOBS})
        cursor.execute(_OUTBOX, {})
        cursor.execute(_EVENTS, {})
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE warren_job, warren_outbox, warren_job_event")


def _measured(client: Client, path: str, *, headers: dict[str, str]) -> dict[str, Any]:
    took_ms = []
    for number in range(WARM_UP + TIMES):
        connection.force_debug_cursor = number == 0  # counts queries, which costs time
        reset_queries()
        started = time.perf_counter()
        answer = client.get(path, headers=headers)
        elapsed_ms = (time.perf_counter() - started) * 1000
        if answer.status_code != 200:  # noqa: PLR2004  OK
            raise RuntimeError(f"{path} answered {answer.status_code}")
        if number == 0:
            queries = len(connection.queries)
        if number >= WARM_UP:
            took_ms.append(elapsed_ms)
    return {"queries": queries, "median_ms": median(took_ms), "most_ms": max(took_ms)}


def _say(figures: dict[str, Any], **about: Any) -> None:
    sys.stdout.write(json.dumps(about | figures) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
