"""How each queue stands: what the questions find, how far they look, and through which index."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from warren.delivery import queue_figures, queue_questions
from warren.delivery.models import Job, Worker
from warren.delivery.queue_figures import QueueFigures
from warren.delivery.queue_questions import Question
from warren.delivery.states import FINAL, OPEN, State

pytestmark = pytest.mark.django_db

FULL = queue_questions.OPEN
UP_TO_TWO = queue_questions.open_up_to(2, queues=["cpu", "io"])

# Some of each ended, long ago.
_MANY = """
INSERT INTO warren_job (id, task, queue, state, created_at, finished_at, attempt, worker, arguments, message, traceback,
                        root_id, parent_id, group_id)
SELECT gen_random_uuid(), 'some.task', 'io', CASE WHEN number %% 500 = 0 THEN 'failed' ELSE 'succeeded' END,
       now() - number * interval '1 minute', now() - number * interval '1 minute', 0, '', '', '', '', '', '', ''
FROM generate_series(1, %s) AS number
"""


def _make(state: str, *, ago: timedelta = timedelta(), **fields: Any) -> None:
    moment = timezone.now() - ago
    finished_at = moment if state in FINAL else None
    values = {"task": "some.task", "queue": "cpu", "available_at": moment, "finished_at": finished_at, **fields}
    Job.objects.create(pk=str(uuid4()), state=state, **values)


def _asked(*questions: Question) -> dict[str, QueueFigures]:
    with connection.cursor() as cursor:
        return queue_figures.by_queue(cursor, *questions)


@pytest.mark.parametrize(
    "question", [FULL, queue_questions.open_up_to(100, queues=["cpu", "io"])], ids=["full", "bound"]
)
def test_open_jobs_are_told_by_state_and_by_when_they_are_due(question: Question) -> None:
    for state in OPEN:
        _make(state, ago=timedelta(seconds=40))
    _make(State.ACCEPTED, ago=timedelta(seconds=90))
    _make(State.RETRYING, ago=-timedelta(hours=1))
    _make(State.RUNNING, ago=timedelta(hours=1))
    _make(State.SUCCEEDED)
    _make(State.ACCEPTED, queue="io", ago=-timedelta(hours=1))

    told = _asked(question)

    assert [getattr(told["cpu"], state) for state in OPEN] == [2, 1, 2, 2]
    assert (told["cpu"].waiting, told["cpu"].later) == (4, 1)
    assert 90 <= (told["cpu"].oldest_wait_s or 0) < 150
    assert (told["io"].waiting, told["io"].later, told["io"].oldest_wait_s) == (0, 1, None)


def test_a_bound_question_stops_at_so_many_of_each_state_and_queue() -> None:
    for state, queue in ((State.QUEUED, "cpu"), (State.RUNNING, "cpu"), (State.QUEUED, "io")):
        for _ in range(5):
            _make(state, queue=queue)

    told = _asked(UP_TO_TWO)

    assert [(each.queued, each.running) for each in (told["cpu"], told["io"])] == [(2, 2), (2, 0)]


def test_what_ended_badly_is_bound_to_the_newest() -> None:
    now = timezone.now()
    for number, state in enumerate((State.DEAD, State.FAILED, State.FAILED)):
        _make(state, created_at=now + timedelta(seconds=number))

    told = _asked(queue_questions.ended_badly_up_to(2))["cpu"]

    assert (told.failed, told.dead) == (2, 0)


def test_answers_are_joined_and_what_was_not_asked_is_zero() -> None:
    _make(State.DEAD)
    _make(State.QUEUED, queue="undeclared")
    for queues in ("cpu,io", "io"):
        Worker.objects.create(pk=uuid4(), name="w", pool="solo", concurrency=1, queues=queues)

    told = _asked(FULL, queue_questions.DEAD, queue_questions.WORKERS)

    assert {name: (each.queued, each.dead, each.workers, each.ended) for name, each in told.items()} == {
        "cpu": (0, 1, 1, 0),
        "io": (0, 0, 2, 0),
        "undeclared": (1, 0, 0, 0),
    }


@pytest.mark.parametrize(
    ("question", "index"),
    [
        (FULL, "warren_job_unfinished"),
        (queue_questions.open_up_to(10_001, queues=["cpu", "io"]), "warren_job_unfinished"),
        (queue_questions.DEAD, "warren_job_dead"),
        (queue_questions.ENDED_LATELY, "warren_job_finished"),
        (queue_questions.ended_badly_up_to(10_001), "warren_job_failed"),
    ],
    ids=["open", "open up to", "dead", "ended lately", "ended badly"],
)
def test_jobs_are_found_through_an_index(question: Question, index: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_MANY, [20_000])
        cursor.execute("ANALYZE warren_job")
        cursor.execute(f"EXPLAIN {question.statement}", question.parameters)
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert index in plan
    assert "Seq Scan on warren_job" not in plan
