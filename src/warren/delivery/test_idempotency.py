import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

import pytest
from celery import chain, current_app, group, shared_task
from celery.result import AsyncResult
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.utils import timezone

from warren.delivery import idempotency
from warren.delivery.conftest import Deliver
from warren.delivery.errors import IdempotencyConflictError, IdempotencyKeyError
from warren.delivery.models import IdempotencyKey, Job, OutboxMessage
from warren.delivery.ownership import owned_by
from warren.delivery.states import State

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "order-17"


@shared_task(name="idempotency.add", queue="io")
def _add(left: int, right: int) -> int:
    return left + right


add: Any = _add  # celery-types knows no idempotency_key


@pytest.fixture
def threads() -> Iterator[Callable[..., Any]]:
    """Calls a function in a thread of its own, with a connection of its own; returns a future."""

    def closing(call: Callable[[], Any]) -> Any:
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=8) as pool:
        yield lambda call: pool.submit(closing, call)


def _submit(*args: int, **options: Any) -> AsyncResult[int]:
    result: AsyncResult[int] = add.apply_async(args or (1, 2), idempotency_key=KEY, **options)
    return result


def _waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.parametrize(
    "options",
    [{}, {"countdown": 60}, {"expires": 60.5}, {"priority": 3}, {"link": add.s(1)}, {"queue": "cpu"}],
    ids=str,
)
def test_it_gives_the_first_job_when_called_again(options: dict[str, Any]) -> None:
    first, second = _submit(**options), _submit(**options)

    assert first.id == second.id
    assert (idempotency.is_replayed(first), idempotency.is_replayed(second)) == (False, True)
    assert Job.objects.get().pk == OutboxMessage.objects.get().job_id == first.id


@pytest.mark.parametrize(
    ("args", "options"),
    [
        ((2, 1), {}),
        ((), {"queue": "cpu"}),
        ((), {"priority": 3}),
        ((), {"countdown": 1}),
        ((), {"expires": 1}),
        ((), {"eta": timezone.now()}),
        ((), {"link": add.s(1)}),
    ],
    ids=str,
)
def test_it_names_key_and_job_when_the_content_is_another(args: tuple[int, ...], options: dict[str, Any]) -> None:
    first = _submit()

    with pytest.raises(IdempotencyConflictError, match=f"'{KEY}' belongs to job {first.id}"):
        _submit(*args, **options)

    assert Job.objects.count() == 1


def test_it_takes_the_key_from_a_signature_and_from_a_name() -> None:
    signature = add.s(1, 2).set(idempotency_key=KEY)

    ids = {signature.delay().id, signature.apply_async().id, signature.clone().delay().id}
    app: Any = current_app
    named = [app.send_task("somebody.elses", (1,), queue="io", idempotency_key="other") for _ in range(2)]

    assert len(ids) == 1
    assert named[0].id == named[1].id
    assert Job.objects.count() == 2


def test_it_says_nothing_of_the_key_to_the_broker() -> None:
    result = _submit()

    envelope = Job.objects.get(pk=result.id).envelope
    assert KEY not in json.dumps([envelope.headers, envelope.properties, envelope.body])


def test_it_submits_each_time_when_there_is_no_key() -> None:
    add.apply_async((1, 2), idempotency_key=None)
    add.delay(1, 2)

    assert Job.objects.count() == 2
    assert not IdempotencyKey.objects.exists()


def test_it_keeps_no_key_when_the_transaction_is_rolled_back() -> None:
    with transaction.atomic():
        lost = _submit()
        transaction.set_rollback(True)

    kept = _submit(3, 4)

    assert kept.id != lost.id
    assert Job.objects.get().pk == kept.id


def test_it_keeps_no_key_when_the_call_fails() -> None:
    with pytest.raises(KeyError):
        add.apply_async((1, 2), queue="nobodys", idempotency_key=KEY)

    assert not IdempotencyKey.objects.exists()


def test_it_knows_each_owner_s_keys_apart() -> None:
    users = [get_user_model().objects.create(email=f"{name}@example.com") for name in "ab"]

    for user_id in (None, users[0].pk, users[1].pk):
        with owned_by(user_id):
            assert _submit().id == _submit().id

    assert sorted(Job.objects.values_list("owner_id", flat=True), key=str) == [users[0].pk, users[1].pk, None]


def test_it_forgets_the_key_with_the_job() -> None:
    first = _submit()

    Job.objects.filter(pk=first.id).update(state=State.SUCCEEDED, finished_at=timezone.now())
    AsyncResult(first.id).forget()

    assert not IdempotencyKey.objects.exists()
    assert _submit().id != first.id


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb", "a\x00b", "\x7f", "\ud800", 17])
def test_it_refuses_what_cannot_be_a_key(key: Any) -> None:
    with pytest.raises(IdempotencyKeyError, match="an idempotency key"):
        add.apply_async((1, 2), idempotency_key=key)

    assert not Job.objects.exists()


@pytest.mark.parametrize("key", ["x", "x" * 255, "Größe 17 ✓"])
def test_it_takes_any_printable_key(key: str) -> None:
    ids = {add.apply_async((1, 2), idempotency_key=key).id for _ in range(2)}

    assert len(ids) == 1


def test_it_makes_one_job_of_many_calls_at_once(threads: Callable[..., Any]) -> None:
    together = Barrier(8)

    def submit() -> str:
        together.wait(timeout=30)
        return _submit().id

    ids = {future.result(timeout=30) for future in [threads(submit) for _ in range(8)]}

    assert ids == {Job.objects.get().pk}


@pytest.mark.parametrize("commits", [True, False])
def test_it_waits_for_the_first_to_commit_or_roll_back(
    threads: Callable[..., Any], wait_until: Callable[[Callable[[], bool]], None], commits: object
) -> None:
    submitted, may_end = Event(), Event()

    def first() -> str:
        with transaction.atomic():
            result = _submit()
            submitted.set()
            assert may_end.wait(timeout=30)
            transaction.set_rollback(not commits)
        return result.id

    one = threads(first)
    assert submitted.wait(timeout=30)
    other = threads(lambda: _submit().id)
    wait_until(_waits_for_a_lock)
    may_end.set()

    assert (one.result(timeout=30) == other.result(timeout=30)) is bool(commits)
    assert Job.objects.get().pk == other.result()


def test_it_runs_a_keyed_step_of_a_chain_once(deliver: Deliver) -> None:
    def run_first_step() -> AsyncResult[int]:
        first: Any = chain(add.s(1, 2), add.s(10).set(idempotency_key=KEY)).apply_async().parent
        message = OutboxMessage.objects.get(job_id=first.id)
        deliver(add, first.id, 1, 2, chain=json.loads(message.job.envelope.body)[2]["chain"])
        return AsyncResult(first.id)

    run_first_step()
    stopped = run_first_step()

    step = Job.objects.get(parent_id__gt="", state=State.ACCEPTED)
    assert (step.args, step.queue) == ([3, 10], "io")
    assert stopped.state == "FAILURE"
    with pytest.raises(IdempotencyConflictError, match=f"belongs to job {step.pk}"):
        stopped.get(timeout=1)


def test_it_refuses_a_second_group_because_its_results_have_ids_of_their_own() -> None:
    def submit() -> None:
        group(add.s(1, 2).set(idempotency_key=KEY), add.s(3, 4)).apply_async()

    submit()
    with pytest.raises(IdempotencyConflictError, match="cannot stand in"), transaction.atomic():
        submit()

    assert Job.objects.count() == 2
