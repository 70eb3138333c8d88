from typing import Any

import pytest
from celery import chain, chord, group, shared_task
from celery.exceptions import ChordError
from celery.result import AsyncResult

from warren.delivery import endings
from warren.delivery.conftest import Run
from warren.delivery.models import Job, OutboxMessage
from warren.delivery.states import State

pytestmark = pytest.mark.django_db


@shared_task(name="canvas.add", queue="cpu")
def add(left: int, right: int) -> int:
    return left + right


@shared_task(name="canvas.total", queue="cpu")
def total(numbers: list[int]) -> int:
    return sum(numbers)


@shared_task(name="canvas.fail", queue="cpu")
def fail(*_args: Any) -> None:
    raise ValueError("broken step")


def test_it_sends_a_chord_s_body_once_when_the_last_part_returns(run: Run) -> None:
    result: AsyncResult[int] = chord([add.s(1, 2), add.s(3, 4), add.s(5, 6)])(total.s())

    assert run() == 4

    assert result.get(timeout=1) == 21
    assert set(Job.objects.values_list("state", flat=True)) == {State.SUCCEEDED}


def test_it_sends_no_message_that_polls_when_a_chord_starts() -> None:
    chord([add.s(1, 2), add.s(3, 4)])(total.s())

    assert set(Job.objects.values_list("task", flat=True)) == {"canvas.add"}


def test_it_fails_the_body_with_the_part_s_error_when_a_part_fails(run: Run) -> None:
    result: AsyncResult[int] = chord([add.s(1, 2), fail.s()])(total.s())

    run()

    by_id: AsyncResult[int] = AsyncResult(result.id)
    with pytest.raises(ChordError, match="broken step"):
        by_id.get(timeout=1)
    assert not Job.objects.filter(task=total.name).exclude(state=State.FAILED).exists()


def test_it_joins_chains_and_nested_chords_when_they_are_parts(run: Run) -> None:
    nested = chord([add.s(1, 1), add.s(2, 2)], total.s())
    result: AsyncResult[int] = chord([chain(add.s(1, 2), add.s(10)), nested, add.s(100, 0)])(total.s())

    run()

    assert result.get(timeout=1) == 13 + 6 + 100


def test_it_makes_a_chord_of_it_when_a_chain_has_a_group_before_a_task(run: Run) -> None:
    result = chain(add.s(1, 1), group(add.s(1), add.s(2)), total.s()).apply_async()

    run()

    assert result.get(timeout=1) == 3 + 4


def test_it_fails_the_rest_of_a_chain_when_a_step_fails(run: Run) -> None:
    result = chain(fail.s(), add.s(1), add.s(2)).apply_async()

    run()

    by_id: AsyncResult[int] = AsyncResult(result.id)
    assert by_id.state == "FAILURE"
    with pytest.raises(ValueError, match="broken step"):
        by_id.get(timeout=1)


@pytest.mark.parametrize("state", [State.CANCELLED, State.EXPIRED, State.DEAD])
def test_it_fails_a_chord_s_body_when_a_part_ends_from_outside(run: Run, state: State) -> None:
    result: AsyncResult[int] = chord([add.s(1, 2), add.s(3, 4)])(total.s())
    part = Job.objects.filter(task=add.name).first()
    assert part is not None

    assert endings.end(part, state=state, error=RuntimeError("ended from outside"))
    OutboxMessage.objects.filter(job=part).delete()
    run()

    part.refresh_from_db()
    assert part.state == state
    with pytest.raises(ChordError, match="ended from outside"):
        AsyncResult(result.id).get(timeout=1)  # without its parts, whose own errors come first


def test_it_fails_the_rest_of_a_chain_when_its_first_step_ends_from_outside() -> None:
    result: AsyncResult[int] = chain(add.s(1, 2), add.s(3))()
    first = Job.objects.get()

    endings.end(first, state=State.DEAD, error=RuntimeError("ended from outside"))

    with pytest.raises(RuntimeError, match="ended from outside"):
        result.get(timeout=1)


def test_it_ends_a_job_once_when_asked_twice() -> None:
    add.delay(1, 2)
    job = Job.objects.get()

    assert endings.end(job, state=State.DEAD, error=RuntimeError("first"))
    assert not endings.end(job, state=State.CANCELLED, error=RuntimeError("second"))

    job.refresh_from_db()
    assert job.state == State.DEAD
