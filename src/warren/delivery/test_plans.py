"""How Postgres finds jobs while what it knows of the table is old: few waited at the last ANALYZE, many do now."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from warren.delivery import claim, due_rows, outcomes
from warren.delivery.models import Job
from warren.delivery.states import FINAL, OPEN, State, in_states

pytestmark = pytest.mark.django_db

FINISHED, WAITING, BATCH = 20_000, 20_000, 64
IDS = [str(uuid4()) for _ in range(BATCH)]

BY_ID: dict[str, tuple[str, Mapping[str, Any] | Sequence[Any]]] = {
    "claim": (
        claim._TAKE,
        {
            "worker": "worker-cpu@one",
            "lease": uuid4(),
            "ids": IDS,
            "message_ids": [""] * BATCH,
            "redelivered": [False] * BATCH,
            "replaced": outcomes.REPLACED,
            "loss_limit": 5,
            "lease_s": 30,
        },
    ),
    "finish": (outcomes._SUCCEED, [IDS, [1] * BATCH, ["1"] * BATCH]),
    "publish": (due_rows._CLOSE, {"gone": list(range(BATCH)), "queued": IDS}),
}

_MAKE = """
INSERT INTO warren_job (id, task, queue, state, finished_at, attempt, worker, arguments, message, traceback, root_id,
                        parent_id, group_id)
SELECT gen_random_uuid(), 'some.task', 'io', %s, CASE WHEN %s THEN now() END, 0, '', '', '', '', '', '', ''
FROM generate_series(1, %s)
"""


@pytest.fixture(autouse=True)
def _many_wait_since_the_last_analyze() -> None:
    _make(FINISHED, state=State.SUCCEEDED)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE warren_job")
    _make(WAITING, state=State.QUEUED)


@pytest.mark.parametrize("statement", BY_ID)
def test_a_statement_that_names_its_jobs_reads_no_others(statement: str) -> None:
    plan = _plan(*BY_ID[statement])

    assert "warren_job_pkey" in plan
    assert "warren_job_unfinished" not in plan


@pytest.mark.parametrize("states", [OPEN, (State.RUNNING,)], ids=["open", "running"])
def test_jobs_in_open_states_are_found_through_their_index(states: tuple[str, ...]) -> None:
    plan = Job.objects.filter(in_states(*states), queue="io").order_by().explain()

    assert "warren_job_unfinished" in plan


@pytest.mark.parametrize("states", [(State.DEAD,), (State.RUNNING, State.DEAD)], ids=["final", "both"])
def test_jobs_in_final_states_are_found_too(states: tuple[str, ...]) -> None:
    job = Job.objects.filter(state=State.SUCCEEDED).first()
    assert job
    Job.objects.filter(pk=job.pk).update(state=State.DEAD)

    assert Job.objects.filter(in_states(*states)).count() == 1


def _make(count: int, *, state: State) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_MAKE, [state, state in FINAL, count])


def _plan(statement: str, values: Mapping[str, Any] | Sequence[Any]) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}", values)
        return "\n".join(row[0] for row in cursor.fetchall())
