"""The judge of tests/chaos finds every way of breaking the promise: a ledger that cannot fail proves nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.chaos import stall
from tests.chaos.entries import Books, Entry, JobRow, Outcome, Step
from tests.chaos.judge import judge

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ENTRY = Entry(
    kind="chain",
    outcome=Outcome.ACCEPTED,
    steps=(
        Step(key="a", value=1, once=False, job_id="id-a"),
        Step(key="b", value=2, once=True, job_id="id-b"),
    ),
)
ROWS = [
    JobRow(
        id=f"id-{key}",
        key=key,
        queue="cpu",
        state="succeeded",
        attempt=1,
        worker="w",
        created_at=NOON,
        queued_at=NOON,
        started_at=NOON,
        finished_at=NOON + timedelta(seconds=number),
        error="",
    )
    for number, key in enumerate("ab")
]
RESULTS = {"id-a": 1, "id-b": 2}
KEPT = Books(
    closed_at=NOON, entries=[ENTRY], jobs=ROWS, effects={"a": 1, "b": 1}, async_results=RESULTS, api_results=RESULTS
)
REFUSED = replace(ENTRY, outcome=Outcome.REFUSED)
UNKNOWN = replace(ENTRY, outcome=Outcome.UNKNOWN)


@pytest.mark.parametrize(
    "books",
    [
        pytest.param(KEPT, id="everything once"),
        pytest.param(replace(KEPT, effects={"a": 2, "b": 1}), id="a plain effect twice"),
        pytest.param(replace(KEPT, entries=[UNKNOWN]), id="a commit whose answer was lost"),
        pytest.param(
            Books(closed_at=NOON, entries=[UNKNOWN, REFUSED], jobs=[], effects={}),
            id="nothing of what was not accepted",
        ),
    ],
)
def test_it_finds_the_promise_kept(books: Books) -> None:
    assert judge(books).kept


@pytest.mark.parametrize(
    ("books", "where"),
    [
        pytest.param(replace(KEPT, jobs=ROWS[:1]), "lost", id="no job"),
        pytest.param(replace(KEPT, jobs=[ROWS[0], replace(ROWS[1], state="running")]), "lost", id="a job not final"),
        pytest.param(replace(KEPT, jobs=[ROWS[0], replace(ROWS[1], state="dead")]), "lost", id="an innocent dead"),
        pytest.param(replace(KEPT, effects={"b": 1}), "lost", id="a plain effect missing"),
        pytest.param(replace(KEPT, effects={"a": 1}), "lost", id="a transactional effect missing"),
        pytest.param(replace(KEPT, entries=[UNKNOWN], jobs=ROWS[:1]), "lost", id="half of a transaction"),
        pytest.param(replace(KEPT, effects={"a": 1, "b": 2}), "duplicated", id="a transactional effect twice"),
        pytest.param(replace(KEPT, jobs=[*ROWS, replace(ROWS[1], id="id-c")]), "duplicated", id="two jobs of one step"),
        pytest.param(replace(KEPT, async_results={"id-a": 1, "id-b": 3}), "wrong", id="a wrong AsyncResult"),
        pytest.param(replace(KEPT, async_results={"id-a": 1}), "wrong", id="no AsyncResult"),
        pytest.param(replace(KEPT, api_results={"id-a": 1, "id-b": "2"}), "wrong", id="a wrong result of the API"),
        pytest.param(replace(KEPT, entries=[REFUSED]), "wrong", id="what was refused runs all the same"),
        pytest.param(
            Books(closed_at=NOON, entries=[REFUSED], jobs=[], effects={"b": 1}),
            "wrong",
            id="an effect of what was never accepted",
        ),
    ],
)
def test_it_finds_the_promise_broken(books: Books, where: str) -> None:
    verdict = judge(books)

    assert not verdict.kept
    assert getattr(verdict, where), verdict


def test_a_stall_is_a_gap_while_work_was_waiting() -> None:
    rows = [_row(created=0, finished=1), _row(created=2, finished=12), _row(created=0, finished=13)]

    assert stall.longest_s(rows, until=NOON) == 11


def test_a_gap_without_work_is_no_stall() -> None:
    assert stall.longest_s([_row(created=0, finished=1), _row(created=50, finished=52)], until=NOON) == 2


def test_a_queue_that_goes_on_hides_no_other() -> None:
    going_on = [_row(created=0, finished=number) for number in range(10)]

    assert stall.longest_s([*going_on, _row(created=0, finished=9, queue="io")], until=NOON) == 9


def test_work_that_is_never_finished_is_a_stall() -> None:
    rows = [_row(created=0, finished=1), replace(_row(created=2, finished=0), finished_at=None)]

    assert stall.longest_s(rows, until=NOON + timedelta(seconds=60)) == 58


def _row(*, created: float, finished: float, queue: str = "cpu") -> JobRow:
    created_at, finished_at = NOON + timedelta(seconds=created), NOON + timedelta(seconds=finished)
    return replace(ROWS[0], queue=queue, created_at=created_at, finished_at=finished_at)
