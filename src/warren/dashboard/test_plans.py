"""How Postgres finds what the pages ask for, in a table of many jobs: through indexes, never by reading it all."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import F, Q

from warren.dashboard import job_pages, own_figures, throughput
from warren.delivery.models import Job, OutboxMessage
from warren.delivery.states import State
from warren.jobs import filters

pytestmark = pytest.mark.django_db

JOBS = 20_000

# Most succeeded long ago, a few failed or died; each hundredth is the second of a chain, or of a group.
_MAKE = """
INSERT INTO warren_job (id, task, queue, state, created_at, finished_at, attempt, worker, arguments, message, traceback,
                        root_id, parent_id, group_id)
SELECT 'job-' || number, 'some.task', 'io',
       CASE WHEN number %% 500 = 0 THEN 'failed' WHEN number %% 500 = 1 THEN 'dead' ELSE 'succeeded' END,
       now() - number * interval '1 minute', now() - number * interval '1 minute', 1, '', '[[], {}]', '{}', '',
       'job-' || (CASE WHEN number %% 100 = 1 THEN number - 1 ELSE number END), '',
       CASE WHEN number %% 100 = 2 THEN 'group-' || number ELSE '' END
FROM generate_series(1, %s) AS number
"""


@pytest.fixture(autouse=True)
def _many_jobs() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_MAKE, [JOBS])
        cursor.execute("ANALYZE warren_job")


def _plan(statement: str, values: dict[str, Any]) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}", values)
        return "\n".join(row[0] for row in cursor.fetchall())


def test_the_list_is_read_in_its_order() -> None:
    plan = Job.objects.order_by(*job_pages.NEWEST_FIRST)[: job_pages.SIZE].explain()

    assert "warren_job_newest" in plan
    assert "Sort" not in plan


def test_a_page_far_down_is_entered_where_it_starts() -> None:
    place = Job.objects.get(pk="job-15000")
    after = job_pages._after(Job.objects.all(), (place.created_at, place.pk))

    plan = after.order_by(*job_pages.NEWEST_FIRST)[: job_pages.SIZE].explain()

    assert "warren_job_newest" in plan
    assert "Index Cond: (created_at <=" in plan


@pytest.mark.parametrize("state", [State.FAILED, State.DEAD])
def test_what_failed_is_found_by_its_own_index(state: State) -> None:
    found = filters.narrowed(Job.objects.all(), wanted={"state": state})

    plan = found.order_by(*job_pages.NEWEST_FIRST)[: job_pages.SIZE].explain()

    assert "warren_job_failed" in plan or "warren_job_dead" in plan  # by how many died: in order, or few and sorted
    assert "Seq Scan" not in plan


def test_a_bulk_action_begins_with_the_oldest_that_failed() -> None:
    plan = job_pages.oldest(Job.objects.all(), wanted={"search": "carrot"}, states=(State.FAILED, State.DEAD)).explain()

    assert "warren_job_failed" in plan
    assert "Seq Scan" not in plan


def test_ones_own_jobs_are_found_by_their_owner() -> None:
    user = get_user_model().objects.create_user("ann@example.com")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE warren_job SET owner_id = %s WHERE id LIKE 'job-1__'", [user.pk])
        cursor.execute("ANALYZE warren_job")

    plan = _plan(own_figures._COUNT, {"owner": user.pk, "most": job_pages.LOOKED_AT})

    assert "warren_job_of_owner" in plan


def test_throughput_reads_what_ended_lately_alone() -> None:
    newest = Job.objects.order_by("-created_at").values_list("created_at", flat=True)[30]

    assert "warren_job_finished" in _plan(throughput._COUNT, {"since": newest})


def test_a_family_is_found_by_its_root_and_its_group() -> None:
    by_root = Job.objects.filter(Q(root_id="job-100"), ~Q(root_id=F("id"))).explain()
    by_group = Job.objects.filter(group_id__in={"group-2", "group-102"}).exclude(group_id="").explain()

    assert "warren_job_family" in by_root
    assert "warren_job_group" in by_group


def test_refused_messages_are_found_among_many() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO warren_outbox (job_id, available_at, failures, last_error) "
            "SELECT id, now(), CASE WHEN id = 'job-7' THEN 1 ELSE 0 END, '' FROM warren_job"
        )
        cursor.execute("ANALYZE warren_outbox")

    assert "warren_outbox_refused" in OutboxMessage.objects.filter(failures__gt=0).order_by("id")[:50].explain()
