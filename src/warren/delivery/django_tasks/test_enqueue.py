from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from celery import current_app
from django.db import transaction
from django.tasks import TaskResult, TaskResultStatus, task
from django.tasks.exceptions import InvalidTask, TaskResultDoesNotExist

from warren.delivery.django_tasks.conftest import Told
from warren.delivery.models import Job, OutboxMessage

pytestmark = pytest.mark.django_db(transaction=True)


@task
def greet(name: str, *, loudly: bool = False) -> str:
    """Say hello."""
    return name.upper() if loudly else name


@task(queue_name="io", priority=10)
def wait(seconds: float) -> float:
    return seconds


def test_it_accepts_a_job_under_the_function_s_path_when_enqueued() -> None:
    result = greet.enqueue("ann", loudly=True)

    message = OutboxMessage.objects.select_related("job").get()
    assert (message.job.pk, message.job.task, message.job.queue) == (result.id, f"{__name__}.greet", "cpu")
    assert (message.job.args, message.job.kwargs, message.job.priority) == (["ann"], {"loudly": True}, None)
    assert (result.status, result.attempts, result.is_finished) == (TaskResultStatus.READY, 0, False)


def test_it_accepts_nothing_when_the_transaction_is_rolled_back() -> None:
    with transaction.atomic():
        result = greet.enqueue("ann")
        transaction.set_rollback(True)

    assert not OutboxMessage.objects.exists()
    with pytest.raises(TaskResultDoesNotExist, match=result.id):
        greet.get_result(result.id)


def test_it_takes_queue_and_priority_from_the_declaration_when_using_changes_neither() -> None:
    wait.enqueue(1)

    job = Job.objects.get()
    assert (job.queue, job.priority) == ("io", 5)


def test_it_takes_queue_priority_and_time_from_using_when_given() -> None:
    later = datetime.now(UTC) + timedelta(hours=1)

    wait.using(queue_name="default", priority=-100, run_after=later).enqueue(1)

    message = OutboxMessage.objects.select_related("job").get()
    assert (message.job.queue, message.job.priority, message.job.available_at) == ("cpu", 0, later)
    assert message.available_at == later


def test_it_refuses_arguments_when_json_has_no_form_for_them() -> None:
    with pytest.raises(TypeError, match="Unsupported type"):
        greet.enqueue(object())  # type: ignore[arg-type]  # what is tried

    assert not Job.objects.exists()


def test_it_names_the_known_queues_when_a_task_names_another() -> None:
    with pytest.raises(InvalidTask, match=r"test_enqueue\.greet names the queue 'gpu'; .* knows cpu, default, io"):
        task(queue_name="gpu")(greet.func)


def test_it_refuses_a_time_when_that_has_no_offset() -> None:
    with pytest.raises(InvalidTask, match="aware"):
        greet.using(run_after=datetime(2030, 1, 1))  # noqa: DTZ001  what is tried


def test_it_tells_django_s_signal_when_it_has_accepted(told: Told) -> None:
    result = greet.enqueue("ann")

    assert told == [("enqueued", result.id, "READY")]


def test_it_accepts_when_enqueued_from_a_coroutine() -> None:
    async def enqueue_and_read() -> "TaskResult[..., Any]":
        result = await greet.aenqueue("ann")
        await result.arefresh()
        return await greet.aget_result(result.id)

    found = async_to_sync(enqueue_and_read)()

    assert (found.id, found.args, found.task) == (Job.objects.get().pk, ["ann"], greet)


def test_it_is_a_celery_task_that_no_request_may_call() -> None:
    registered: Any = current_app.tasks[f"{__name__}.wait"]

    assert (registered.queue, registered.__doc__, registered.arguments) == ("io", None, None)


def test_it_registers_a_task_once_when_using_makes_variants() -> None:
    before = len(current_app.tasks)

    greet.using(priority=3).using(queue_name="io")

    assert len(current_app.tasks) == before
