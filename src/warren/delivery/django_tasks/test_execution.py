from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from celery import current_app
from celery.exceptions import Ignore
from django.contrib.auth.models import Group
from django.tasks import TaskContext, TaskResultStatus, task
from django.tasks.signals import task_started

from warren.delivery import retry
from warren.delivery.django_tasks.conftest import Told, Work
from warren.delivery.history import Actor
from warren.delivery.models import Job, OutboxMessage
from warren.delivery.states import State

pytestmark = pytest.mark.django_db(transaction=True)


@task
def add(one: float, other: float) -> float:
    return one + other


@task(takes_context=True)
def attempt(context: "TaskContext[..., Any]", word: str) -> list[Any]:
    return [context.attempt, context.task_result.id, context.task_result.args, word]


@task
def fail() -> None:
    raise ValueError("no luck")


@task
def odd() -> object:
    return datetime.now(UTC)


@task(backend="transactional")
def effect(then: str) -> str:
    Group.objects.create(name="effect")
    if then == "fail":
        raise ValueError("after the effect")
    return "done"


@task
async def lookup(name: str) -> int:
    return (await Group.objects.aget(name=name)).pk


@task(backend="transactional")
async def async_effect() -> None:
    await Group.objects.acreate(name="async effect")
    raise ValueError("after the effect")


@pytest.fixture
def faulty_receiver() -> Iterator[None]:
    def receiver(**_kwargs: Any) -> None:
        raise RuntimeError("a receiver of somebody's own")

    task_started.connect(receiver)
    yield
    task_started.disconnect(receiver)


def test_it_keeps_the_value_when_the_function_returns(work: Work) -> None:
    result = add.enqueue(2, 3)

    work(result)

    result.refresh()
    assert (result.status, result.return_value, result.attempts, result.errors) == ("SUCCESSFUL", 5, 1, [])
    assert result.worker_ids == ["worker-test@here"]
    times = [result.enqueued_at, result.started_at, result.last_attempted_at, result.finished_at]
    assert times == sorted(time for time in times if time)


def test_it_runs_once_when_the_message_comes_again(work: Work, told: Told) -> None:
    result = add.enqueue(2, 3)

    outcomes = [work(result, redelivered=True) for _ in range(2)]

    assert isinstance(outcomes[1].info.retval, Ignore)
    assert [name for name, *_ in told] == ["enqueued", "started", "finished"]


def test_it_gives_the_context_when_the_task_takes_it(work: Work) -> None:
    result = attempt.enqueue("hello")
    Job.objects.filter(pk=result.id).update(attempt=2)  # two workers were lost over it

    work(result)

    result.refresh()
    assert result.return_value == [3, result.id, ["hello"], "hello"]
    assert result.worker_ids == ["", "", "worker-test@here"]


def test_it_keeps_the_former_error_when_a_job_is_retried_by_hand(work: Work) -> None:
    result = fail.enqueue()
    work(result, hostname="the first")
    first = fail.get_result(result.id)
    OutboxMessage.objects.all().delete()  # it was delivered

    retry.retry([result.id], by=Actor(label="a test"))
    waiting = fail.get_result(result.id)
    work(result, hostname="the second")

    last = fail.get_result(result.id)
    assert (waiting.status, waiting.attempts, len(waiting.errors)) == (TaskResultStatus.READY, 1, 1)
    assert (last.status, last.worker_ids, len(last.errors)) == ("FAILED", ["the first", "the second"], 2)
    assert last.started_at == first.started_at
    assert last.last_attempted_at
    assert first.last_attempted_at
    assert last.last_attempted_at > first.last_attempted_at


def test_it_keeps_the_error_when_the_function_raises(work: Work) -> None:
    result = fail.enqueue()

    work(result)

    result.refresh()
    assert (result.status, len(result.errors)) == (TaskResultStatus.FAILED, 1)
    assert result.errors[0].exception_class is ValueError
    assert "ValueError: no luck" in result.errors[0].traceback
    with pytest.raises(ValueError, match="Task failed"):
        _ = result.return_value


def test_it_fails_when_json_has_no_form_for_the_value(work: Work) -> None:
    result = odd.enqueue()

    work(result)

    result.refresh()
    assert result.errors[0].exception_class is TypeError


def test_it_fails_when_the_arguments_do_not_fit(work: Work) -> None:
    result = add.enqueue(1)  # type: ignore[call-arg]  # what is tried

    work(result)

    result.refresh()
    assert result.errors[0].exception_class is TypeError


def test_it_tells_django_s_signals_when_it_starts_and_finishes(work: Work, told: Told) -> None:
    good, bad = add.enqueue(2, 3), fail.enqueue()
    told.clear()

    work(good)
    work(bad)

    assert told == [
        ("started", good.id, "RUNNING"),
        ("finished", good.id, "SUCCESSFUL"),
        ("started", bad.id, "RUNNING"),
        ("finished", bad.id, "FAILED"),
    ]


@pytest.mark.usefixtures("faulty_receiver")
def test_it_runs_when_a_receiver_of_the_signals_fails(work: Work) -> None:
    result = add.enqueue(2, 3)

    work(result)

    assert add.get_result(result.id).return_value == 5


def test_it_commits_the_effect_with_the_outcome_when_the_backend_is_transactional(work: Work) -> None:
    result = effect.enqueue("succeed")

    work(result)

    assert effect.get_result(result.id).return_value == "done"
    assert Group.objects.count() == 1


@pytest.mark.parametrize(("backend", "effects"), [("transactional", 0), ("default", 1)])
def test_it_rolls_the_effect_back_when_a_transactional_body_fails(work: Work, backend: str, effects: int) -> None:
    result = effect.using(backend=backend).enqueue("fail")

    work(result)

    assert effect.get_result(result.id).status == TaskResultStatus.FAILED
    assert Group.objects.count() == effects


def test_it_runs_a_coroutine_on_this_connection_when_the_task_is_async(work: Work) -> None:
    group = Group.objects.create(name="here")
    result = lookup.enqueue("here")

    work(result)

    value: Any = lookup.get_result(result.id).return_value  # the stubs say a coroutine
    assert value == group.pk


def test_it_rolls_a_coroutine_s_effect_back_when_a_transactional_one_fails(work: Work) -> None:
    result = async_effect.enqueue()

    work(result)

    assert Job.objects.get(pk=result.id).state == State.FAILED
    assert not Group.objects.exists()


def test_it_runs_without_a_header_when_celery_sent_it_by_name(work: Work) -> None:
    sent = current_app.send_task(f"{__name__}.add", (2, 3))

    work(sent)

    found = add.get_result(sent.id)
    assert (found.return_value, found.backend) == (5, "default")
    assert found.enqueued_at == Job.objects.get().created_at
