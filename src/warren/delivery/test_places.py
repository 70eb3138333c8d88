"""When a task tells the pool that its body is over."""

from typing import Any

import pytest
from celery import shared_task

from warren.delivery import places
from warren.delivery.conftest import Run
from warren.delivery.models import Job
from warren.delivery.states import State

pytestmark = pytest.mark.django_db

steps: list[str] = []


class Pool:
    """Notes in which state the jobs are when a place is given back."""

    def leave(self) -> None:
        steps.append(f"left, {Job.objects.get().state}")


@shared_task(name="places.plain", queue="io")
def plain() -> None:
    steps.append("body")


@shared_task(name="places.transactional", queue="io", transactional=True)  # type: ignore[call-overload, untyped-decorator]  # celery-types lacks ours
def transactional() -> None:
    steps.append("body")


@pytest.fixture(autouse=True)
def _pool(monkeypatch: pytest.MonkeyPatch) -> None:
    steps.clear()
    monkeypatch.setattr(places, "current", Pool())


def _ran(run: Run, task: Any) -> list[str]:
    task.delay()
    run()
    assert Job.objects.get().state == State.SUCCEEDED
    return steps


def test_a_plain_task_gives_its_place_back_before_its_outcome_is_stored(run: Run) -> None:
    assert _ran(run, plain) == ["body", "left, running"]


def test_a_transactional_task_keeps_its_place_until_it_has_committed(run: Run) -> None:
    assert _ran(run, transactional) == ["body"]
