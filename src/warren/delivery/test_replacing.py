"""A task that replaces itself, and one that raises `Ignore`: the job becomes final, once, and nobody runs it twice."""

from datetime import timedelta
from typing import Any

import pytest
from celery import chain, chord, shared_task
from celery.exceptions import Ignore
from celery.result import AsyncResult
from django.utils import timezone

from warren.delivery import reconciler
from warren.delivery.conftest import Deliver, Run, cannot_tell
from warren.delivery.models import Job, OutboxMessage
from warren.delivery.states import State

pytestmark = pytest.mark.django_db

LONG_AGO = timedelta(minutes=5)


@shared_task(name="replacing.add", queue="cpu")
def add(left: int, right: int) -> int:
    return left + right


@shared_task(name="replacing.total", queue="cpu")
def total(numbers: list[int]) -> int:
    return sum(numbers)


def _replacement(kind: str) -> Any:
    if kind == "task":
        return add.s(3, 4)
    return chain(add.s(1, 2), add.s(4)) if kind == "chain" else chord([add.s(1, 2), add.s(2, 2)], total.s())


@shared_task(name="replacing.plain", queue="cpu", bind=True)
def plain(self: Any, kind: str) -> None:
    self.replace(_replacement(kind))


@shared_task(name="replacing.transactional", queue="cpu", bind=True, transactional=True)  # type: ignore[call-overload, untyped-decorator]  # transactional= is ours
def transactional(self: Any, kind: str) -> None:
    self.replace(_replacement(kind))


@shared_task(name="replacing.ignore", queue="cpu")
def ignore() -> None:
    raise Ignore


@pytest.mark.parametrize("kind", ["task", "chain", "chord"])
@pytest.mark.parametrize("task", [plain, transactional])
def test_it_ends_with_the_result_of_what_replaced_it(task: Any, kind: str, run: Run) -> None:
    result: AsyncResult[int] = task.delay(kind)

    run()

    assert AsyncResult(result.id).get(timeout=1) == 7
    assert set(Job.objects.values_list("state", flat=True)) == {State.SUCCEEDED}


@pytest.mark.parametrize("kind", ["chain", "chord"])
@pytest.mark.parametrize("task", [plain, transactional])
def test_nobody_sends_it_again_or_takes_it_while_its_replacement_runs(
    task: Any, kind: str, deliver: Deliver, run: Run
) -> None:
    result: AsyncResult[int] = task.delay(kind)
    OutboxMessage.objects.all().delete()
    deliver(task, result.id, kind)
    Job.objects.filter(pk=result.id).update(started_at=timezone.now() - LONG_AGO)

    sent_again = reconciler.run(cannot_tell, now=timezone.now())
    deliver(task, result.id, kind, redelivered=True)
    deliver(task, result.id, kind)

    job = Job.objects.get(pk=result.id)
    assert sent_again == []
    assert (job.state, job.attempt, job.losses) == (State.RUNNING, 1, 0)
    assert not job.events.exists()
    run()
    assert AsyncResult(result.id).get(timeout=1) == 7


def test_it_succeeds_without_a_result_when_the_body_raises_ignore(run: Run) -> None:
    result = ignore.delay()

    run()

    job = Job.objects.get(pk=result.id)
    assert (job.state, job.result) == (State.SUCCEEDED, "null")
