"""What a worker refuses; what it learns is seen in tests/integration/test_django_tasks.py."""

from types import SimpleNamespace

import pytest
from celery import shared_task
from celery.app import app_or_default
from celery.exceptions import NotRegistered

from warren.health.strategies import Strategies


@shared_task(name="strategies.late")
def late() -> None: ...


@pytest.fixture
def strategies() -> Strategies:
    """Of a consumer that started with no task at all."""
    return Strategies(SimpleNamespace(app=app_or_default()))


def test_it_refuses_a_name_when_there_is_no_such_task(strategies: Strategies) -> None:
    with pytest.raises(NotRegistered):
        strategies["no.such.task"]


def test_it_refuses_a_celery_task_when_the_worker_started_without_it(strategies: Strategies) -> None:
    with pytest.raises(NotRegistered):
        strategies[late.name]
