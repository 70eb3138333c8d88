import time
from collections.abc import Callable
from typing import Any

import pytest
from celery import shared_task
from celery.concurrency import gevent, prefork, solo, thread
from celery.result import AsyncResult

from warren.delivery import cancellation
from warren.delivery.conftest import Run
from warren.delivery.models import Job
from warren.delivery.states import State

pytestmark = pytest.mark.django_db

meanwhile: list[Callable[[], Any]] = []
steps: list[str] = []


@shared_task(name="cancellation.long", queue="cpu")
def long() -> str:
    return _work()


@shared_task(name="cancellation.transactional", queue="cpu", transactional=True)  # type: ignore[call-overload, untyped-decorator]  # celery-types lacks ours
def transactional() -> str:
    Job.objects.create(pk="an-effect", task="effect", queue="cpu", state=State.SUCCEEDED)
    return _work()


def _work() -> str:
    steps.append("begun")
    for each in meanwhile:
        each()
    cancellation.raise_if_cancelled()
    steps.append("ended")
    return "result"


@pytest.fixture(autouse=True)
def _fresh() -> None:
    meanwhile.clear()
    steps.clear()


def _end(**fields: Any) -> Callable[[], Any]:
    return lambda: Job.objects.filter(task__startswith="cancellation").update(**fields)


def test_a_task_that_asks_goes_on_while_its_job_is_wanted(run: Run) -> None:
    result: AsyncResult[str] = long.delay()

    run()

    assert (steps, result.get(timeout=1)) == (["begun", "ended"], "result")


@pytest.mark.parametrize("end", [{"state": State.CANCELLED}, {"attempt": 2}, {"state": State.ACCEPTED}], ids=str)
def test_a_task_that_asks_ends_when_its_job_is_cancelled_or_taken_away(run: Run, end: dict[str, Any]) -> None:
    meanwhile.append(_end(**end))
    result: AsyncResult[str] = long.delay()

    run()

    assert steps == ["begun"]
    assert Job.objects.get(pk=result.id).result is None


def test_what_a_transactional_task_wrote_is_rolled_back(run: Run) -> None:
    meanwhile.append(_end(attempt=2))
    transactional.delay()

    run()

    assert steps == ["begun"]
    assert not Job.objects.filter(task="effect").exists()


def test_it_asks_postgres_once_a_second(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def cancel_soon_after_a_check() -> None:
        cancellation.raise_if_cancelled()
        _end(state=State.CANCELLED)()
        now[0] += 0.9

    meanwhile.append(cancel_soon_after_a_check)
    long.delay()

    run()

    assert steps == ["begun", "ended"]


def test_outside_a_worker_it_does_nothing() -> None:
    cancellation.raise_if_cancelled()

    assert long() == "result"


def test_it_knows_pools_by_celery_s_names_for_them() -> None:
    class OurOwn(prefork.TaskPool):
        """As a pool of one's own is made."""

    pools = (prefork.TaskPool, OurOwn, gevent.TaskPool, thread.TaskPool, solo.TaskPool)

    assert [cancellation.pool_name(pool) for pool in pools] == ["prefork", "prefork", "gevent", "thread", "solo"]
