import json
from typing import Any

import pytest
from celery import shared_task
from django.tasks import TaskResultStatus, default_task_backend, task
from django.tasks.exceptions import TaskResultDoesNotExist, TaskResultMismatch

from warren.delivery.django_tasks import errors
from warren.delivery.errors import DeliveryError
from warren.delivery.models import Job
from warren.delivery.states import FINAL, State

pytestmark = pytest.mark.django_db


@task
def one() -> None: ...


@task
def other() -> None: ...


@shared_task(name="results.celery")
def celerys() -> None: ...


@pytest.mark.parametrize("state", State)
def test_it_has_a_status_for_every_state_of_a_job(state: State) -> None:
    sent = one.enqueue()
    Job.objects.update(state=state)

    status = one.get_result(sent.id).status

    assert (status in {TaskResultStatus.FAILED, TaskResultStatus.SUCCESSFUL}) == (state in FINAL)
    assert (status == TaskResultStatus.FAILED) == (state in FINAL - {State.SUCCEEDED})


@pytest.mark.parametrize(
    ("state", "stored", "error"),
    [
        (State.CANCELLED, None, errors.JobCancelledError),
        (State.EXPIRED, {"exc_type": "TaskRevokedError", "exc_module": "celery.exceptions"}, errors.JobExpiredError),
        (State.DEAD, None, errors.JobLostError),
        (State.FAILED, {"exc_type": "KeyError", "exc_module": "builtins"}, KeyError),
        (State.DEAD, {"exc_type": "WorkersLost", "exc_module": "warren.delivery.errors"}, DeliveryError),
    ],
)
def test_it_names_an_error_however_the_job_failed(state: State, stored: Any, error: type[Exception]) -> None:
    sent = one.enqueue()
    Job.objects.update(state=state, result=stored and json.dumps(stored))

    found = one.get_result(sent.id).errors

    assert len(found) == 1
    assert issubclass(found[0].exception_class, error)
    assert found[0].traceback or stored


def test_it_keeps_what_using_changed_when_the_result_is_read() -> None:
    sent = one.using(queue_name="io", priority=42).enqueue()

    found = default_task_backend.get_result(sent.id)

    assert (found.task.queue_name, found.task.priority, found.task.func) == ("io", 42, one.func)


def test_it_reads_as_declared_when_the_queue_is_no_more(settings: Any) -> None:
    sent = one.using(queue_name="io").enqueue()
    settings.TASKS = {"default": {**settings.TASKS["default"], "QUEUES": ["cpu"]}}

    assert one.get_result(sent.id).task.queue_name == "default"


def test_it_tells_a_mismatch_when_the_job_is_of_another_task() -> None:
    sent = other.enqueue()

    with pytest.raises(TaskResultMismatch, match=r"test_task_results\.other"):
        one.get_result(sent.id)


def test_it_says_why_when_the_job_is_of_a_celery_task() -> None:
    sent = celerys.delay()

    with pytest.raises(TaskResultDoesNotExist, match=r"Celery task results\.celery"):
        one.get_result(sent.id)


def test_it_says_why_when_the_task_is_no_more() -> None:
    sent = one.enqueue()
    Job.objects.update(task="apps.gone.tasks.vanished")

    with pytest.raises(TaskResultDoesNotExist, match=r"apps\.gone\.tasks\.vanished, which is no more"):
        one.get_result(sent.id)
