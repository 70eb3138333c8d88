import json
from datetime import timedelta
from typing import Any

import pytest
from celery import Celery, chain, chord, group, shared_task
from celery.app.task import Context
from celery.result import AsyncResult
from django.utils import timezone

from warren.delivery import history
from warren.delivery.conftest import Deliver, Run
from warren.delivery.history import Actor
from warren.delivery.models import Chord, Job, JobEvent, OutboxMessage, ResultGroup
from warren.delivery.retry import CHORD_FORGOTTEN, NEVER_SENT, RETRYABLE, retry
from warren.delivery.states import FINAL, State

pytestmark = pytest.mark.django_db

SOMEBODY = Actor(label="somebody")


class Broken:
    """What makes the tasks here fail, by name; a test mends it."""

    names: frozenset[str] = frozenset()


@pytest.fixture(autouse=True)
def broken() -> type[Broken]:
    Broken.names = frozenset({"a", "b"})
    return Broken


@shared_task(name="retry.step", queue="cpu")
def step(number: int, name: str = "") -> int:
    if name in Broken.names:
        raise ValueError(f"{name} is broken")
    return number + 1


@shared_task(name="retry.total", queue="cpu")
def total(numbers: list[int]) -> int:
    return sum(numbers)


@shared_task(name="retry.stubborn", queue="cpu", bind=True, max_retries=1)
def stubborn(self: Any) -> int:
    if "a" in Broken.names:
        raise self.retry(countdown=0)
    return int(self.request.retries)


def _of(name: str, *, task: str = "retry.step") -> Job:
    return Job.objects.get(task=task, arguments__contains=f'"{name}"')


def _bodies_sent() -> int:
    return OutboxMessage.objects.filter(job__task=total.name).count()


def test_it_runs_a_failed_job_again_as_its_next_attempt(run: Run, broken: type[Broken]) -> None:
    result = step.delay(1, "a")
    run()
    broken.names = frozenset()

    outcome = retry([result.id], by=SOMEBODY, reason="the disk was full")
    waiting = Job.objects.get(pk=result.id)
    run()

    assert (outcome.retried, outcome.refused) == ([result.id], {})
    assert (waiting.state, waiting.finished_at, waiting.result, waiting.traceback) == (State.ACCEPTED, None, None, "")
    job = Job.objects.get(pk=result.id)
    assert (job.state, job.attempt, job.result) == (State.SUCCEEDED, 2, "2")


def test_it_keeps_how_the_job_had_ended_and_who_retried_it_why(run: Run) -> None:
    result = step.delay(1, "a")
    run()

    retry([result.id], by=SOMEBODY, reason="the disk was full")

    event = JobEvent.objects.get()
    assert (event.kind, event.actor_label, event.reason) == (history.RETRIED, "somebody", "the disk was full")
    assert (event.state, event.attempt, event.worker) == ("failed", 1, "worker-test@here")
    assert "a is broken" in event.traceback
    assert json.loads(event.result or "")["exc_type"] == "ValueError"


@pytest.mark.parametrize("state", RETRYABLE)
def test_it_takes_every_end_but_success(run: Run, state: State) -> None:
    result = step.delay(1)
    OutboxMessage.objects.all().delete()
    Job.objects.update(state=state, attempt=6, finished_at=timezone.now())

    retry([result.id], by=SOMEBODY)
    run()

    job = Job.objects.get(pk=result.id)
    assert (job.state, job.attempt) == (State.SUCCEEDED, 7)


@pytest.mark.parametrize("state", sorted(set(State) - set(RETRYABLE)))
def test_it_refuses_what_is_open_or_has_succeeded(state: State) -> None:
    result = step.delay(1)
    OutboxMessage.objects.all().delete()
    Job.objects.update(state=state)

    outcome = retry([result.id], by=SOMEBODY)

    assert outcome.retried == []
    assert state.value in outcome.refused[result.id]
    assert Job.objects.get().state == state
    assert not OutboxMessage.objects.exists()
    assert not JobEvent.objects.exists()


def test_it_refuses_unknown_jobs() -> None:
    assert retry(["nobody"], by=SOMEBODY).refused == {"nobody": "There is no such job."}


def test_it_gives_celery_s_own_retries_anew(run: Run, broken: type[Broken]) -> None:
    result = stubborn.delay()
    run()
    assert Job.objects.get().state == State.FAILED
    broken.names = frozenset()

    retry([result.id], by=SOMEBODY)
    run()

    job = Job.objects.get()
    assert (job.state, job.result, job.attempt) == (State.SUCCEEDED, "0", 3)


def test_it_runs_an_expired_job_though_its_time_has_passed(run: Run) -> None:
    result = step.apply_async((1,), expires=60)
    OutboxMessage.objects.all().delete()
    Job.objects.update(state=State.EXPIRED, expires_at=timezone.now() - timedelta(seconds=1))

    retry([result.id], by=SOMEBODY)

    job = Job.objects.get()
    assert (job.expires_at, job.envelope.headers["expires"]) == (None, None)
    run()
    assert Job.objects.get().state == State.SUCCEEDED


def test_it_keeps_an_expiry_that_is_still_ahead() -> None:
    result = step.apply_async((1,), expires=60)
    OutboxMessage.objects.all().delete()
    Job.objects.update(state=State.CANCELLED)

    retry([result.id], by=SOMEBODY)

    job = Job.objects.get()
    assert job.expires_at is not None
    assert job.envelope.headers["expires"]


def test_a_late_failure_of_the_former_attempt_changes_nothing(app: Celery, run: Run) -> None:
    result = step.delay(1, "a")
    run()
    retry([result.id], by=SOMEBODY)

    late = Context({"id": result.id, "hostname": "worker-test@here", "job_attempt": 1})
    backend: Any = app.backend
    backend.mark_as_failure(result.id, ValueError("late"), request=late)

    assert Job.objects.get().state == State.ACCEPTED


def test_a_chain_goes_on_when_its_failed_step_succeeds(run: Run, broken: type[Broken]) -> None:
    result: AsyncResult[int] = chain(step.s(1), step.s("a"), step.s(), step.s()).apply_async()
    run()
    assert AsyncResult(result.id).state == "FAILURE"
    failed = _of("a")
    broken.names = frozenset()

    retry([failed.pk], by=SOMEBODY)

    assert AsyncResult(result.id).state == "PENDING"
    assert run() == 3
    assert AsyncResult(result.id).get(timeout=1) == 5
    assert list(Job.objects.values_list("state", flat=True)) == [State.SUCCEEDED] * 4


def test_a_chain_fails_again_when_its_step_does(run: Run) -> None:
    result: AsyncResult[int] = chain(step.s(1, "a"), step.s()).apply_async()
    run()

    retry([_of("a").pk], by=SOMEBODY)
    run()

    assert AsyncResult(result.id).state == "FAILURE"
    assert set(Job.objects.values_list("state", flat=True)) == {State.FAILED}


def test_the_rest_of_a_chain_is_not_retried_by_itself(run: Run) -> None:
    result: AsyncResult[int] = chain(step.s(1, "a"), step.s()).apply_async()
    run()

    assert retry([result.id], by=SOMEBODY).refused == {result.id: NEVER_SENT}
    together = retry([result.id, _of("a").pk], by=SOMEBODY)

    assert (len(together.retried), together.refused) == (1, {})


@pytest.mark.parametrize("others_first", [True, False])
def test_a_chord_s_body_is_sent_once_when_its_failed_part_succeeds(
    run: Run, broken: type[Broken], *, others_first: bool
) -> None:
    parts = [step.s(1), step.s(2)]
    header = [*parts, step.s(3, "a")] if others_first else [step.s(3, "a"), *parts]
    result: AsyncResult[int] = chord(header)(total.s())
    run()
    assert AsyncResult(result.id).state == "FAILURE"
    broken.names = frozenset()

    retry([_of("a").pk], by=SOMEBODY)
    assert Chord.objects.get().returned == 2
    ran = run()

    assert ran == 2
    assert AsyncResult(result.id).get(timeout=1) == 2 + 3 + 4
    assert Chord.objects.get().returned == 3


def test_a_part_that_is_retried_before_the_others_return_counts_once(deliver: Deliver, run: Run) -> None:
    result: AsyncResult[int] = chord([step.s(1, "a"), step.s(2), step.s(3)])(total.s())
    first = OutboxMessage.objects.order_by("id")[0]
    first.delete()
    envelope = first.job.envelope
    embed = json.loads(envelope.body)[2]
    headers = {name: value for name, value in envelope.headers.items() if name != "id"}
    deliver(step, first.job_id, 1, "a", **headers, **embed)
    assert Chord.objects.get().returned == 1
    Broken.names = frozenset()

    retry([first.job_id], by=SOMEBODY)

    assert Chord.objects.get().returned == 0
    assert run() == 4
    assert AsyncResult(result.id).get(timeout=1) == 9


def test_a_body_waits_for_every_failed_part(run: Run, broken: type[Broken]) -> None:
    result: AsyncResult[int] = chord([step.s(1, "a"), step.s(2, "b"), step.s(3)])(total.s())
    run()

    broken.names = frozenset({"b"})
    retry([_of("a").pk], by=SOMEBODY)
    run()
    after_one = AsyncResult(result.id).state
    broken.names = frozenset()
    retry([_of("b").pk], by=SOMEBODY)
    run()

    assert after_one == "FAILURE"
    assert AsyncResult(result.id).get(timeout=1) == 9
    assert Chord.objects.get().returned == 3


def test_a_body_is_sent_once_when_two_parts_are_retried_at_once(run: Run, broken: type[Broken]) -> None:
    result: AsyncResult[int] = chord([step.s(1, "a"), step.s(2, "b")])(total.s())
    run()
    broken.names = frozenset()

    retry([_of("a").pk, _of("b").pk], by=SOMEBODY)
    assert run() == 3

    assert AsyncResult(result.id).get(timeout=1) == 5


def test_a_chord_goes_on_when_a_chain_in_it_had_failed_early(run: Run, broken: type[Broken]) -> None:
    result: AsyncResult[int] = chord([chain(step.s(1, "a"), step.s(), step.s()), step.s(10)])(total.s())
    run()
    assert AsyncResult(result.id).state == "FAILURE"
    broken.names = frozenset()

    retry([_of("a").pk], by=SOMEBODY)
    run()

    assert AsyncResult(result.id).get(timeout=1) == 4 + 11
    assert Chord.objects.get().returned == 2


def test_what_follows_a_chord_goes_on_too(run: Run, broken: type[Broken]) -> None:
    result: Any = chain(step.s(1), group(step.s("a"), step.s()), total.s(), step.s()).apply_async()
    run()
    assert AsyncResult(result.id).state == "FAILURE"
    broken.names = frozenset()

    retry([_of("a").pk], by=SOMEBODY)
    run()

    assert AsyncResult(result.id).get(timeout=1) == 3 + 3 + 1
    assert set(Job.objects.values_list("state", flat=True)) == {State.SUCCEEDED}


def test_a_chord_inside_a_chord_goes_on_in_both(run: Run, broken: type[Broken]) -> None:
    inner = chord([step.s(1, "a"), step.s(2)], total.s())
    result: AsyncResult[int] = chord([inner, step.s(10)])(total.s())
    run()
    broken.names = frozenset()

    retry([_of("a").pk], by=SOMEBODY)
    run()

    assert AsyncResult(result.id).get(timeout=1) == 2 + 3 + 11
    assert set(Job.objects.values_list("state", flat=True)) == {State.SUCCEEDED}


def test_a_part_that_was_cancelled_counts_once_when_it_is_retried(run: Run, broken: type[Broken]) -> None:
    broken.names = frozenset()
    result: AsyncResult[int] = chord([step.s(1, "a"), step.s(2)])(total.s())
    part = _of("a")
    Job.objects.filter(pk=part.pk).update(state=State.CANCELLED, finished_at=timezone.now())
    OutboxMessage.objects.filter(job=part).delete()
    run()
    assert _bodies_sent() == 0

    retry([part.pk], by=SOMEBODY)
    run()

    assert AsyncResult(result.id).get(timeout=1) == 5
    assert Chord.objects.get().returned == 2


def test_it_refuses_a_part_whose_chord_is_forgotten(run: Run) -> None:
    chord([step.s(1, "a"), step.s(2)])(total.s())
    run()
    part = _of("a")
    ResultGroup.objects.all().delete()

    assert retry([part.pk], by=SOMEBODY).refused == {part.pk: CHORD_FORGOTTEN}
    assert not Job.objects.exclude(state__in=FINAL).exists()
