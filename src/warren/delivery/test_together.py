from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from celery import chord, group, shared_task
from celery.exceptions import Ignore
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from warren.delivery import outbox
from warren.delivery.conftest import Deliver
from warren.delivery.models import Job, OutboxMessage
from warren.delivery.states import State

pytestmark = pytest.mark.django_db(transaction=True)


@shared_task(name="together.add", queue="io")
def add(left: int, right: int) -> int:
    return left + right


@shared_task(name="together.again", queue="io", bind=True)
def again(self: Any) -> None:
    with outbox.together():
        self.retry(countdown=30, throw=False)
        self.retry(countdown=3000, throw=False)
    raise Ignore


def _submit_and_fail() -> None:
    with outbox.together():
        add.delay(5, 6)
        raise RuntimeError


def _statements(captured: CaptureQueriesContext) -> list[str]:
    return [each["sql"] for each in captured.captured_queries if "warren_job" in each["sql"]]


def test_it_writes_all_jobs_in_one_statement_and_in_order() -> None:
    with CaptureQueriesContext(connection) as captured, outbox.together():
        results = [add.apply_async((number, 1), priority=number) for number in range(5)]
        assert not Job.objects.exists()

    assert len([sql for sql in _statements(captured) if "INSERT" in sql]) == 1
    messages = OutboxMessage.objects.select_related("job").order_by("id")
    assert [message.job_id for message in messages] == [result.id for result in results]
    assert [message.job.envelope.body for message in messages] == [
        f'[[{number}, 1], {{}}, {{"callbacks": null, "errbacks": null, "chain": null, "chord": null}}]'
        for number in range(5)
    ]
    assert [message.job.envelope.properties["priority"] for message in messages] == [0, 1, 2, 3, 4]


def test_it_writes_as_many_as_it_holds_when_there_are_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MOST_TOGETHER", 2)

    with CaptureQueriesContext(connection) as captured, outbox.together():
        for number in range(5):
            add.delay(number, 1)

    assert len([sql for sql in _statements(captured) if "INSERT" in sql]) == 3
    assert Job.objects.count() == OutboxMessage.objects.count() == 5


def test_it_writes_the_same_row_as_alone_when_there_are_two() -> None:
    options: dict[str, Any] = {"countdown": 60, "expires": 120, "priority": 3}
    alone = add.apply_async((1, 2), **options)
    with outbox.together():
        both = [add.apply_async((1, 2), **options) for _ in range(2)]

    def row(job_id: str) -> dict[str, Any]:
        values = Job.objects.filter(pk=job_id).values().get()
        moments = {"id", "root_id", "message", "created_at", "available_at", "expires_at"}
        return {name: value for name, value in values.items() if name not in moments}

    assert row(alone.id) == row(both[0].id) == row(both[1].id)
    assert all(job.available_at > job.created_at and job.expires_at for job in Job.objects.all())


def test_it_writes_nothing_when_the_block_fails() -> None:
    with pytest.raises(RuntimeError):
        _submit_and_fail()

    assert not Job.objects.exists()
    add.delay(1, 2)
    assert Job.objects.count() == 1


def test_it_joins_the_outer_block_when_nested() -> None:
    with CaptureQueriesContext(connection) as captured, outbox.together():
        add.delay(1, 2)
        with outbox.together():
            add.delay(3, 4)
        assert not Job.objects.exists()

    assert len([sql for sql in _statements(captured) if "INSERT" in sql]) == 1
    assert Job.objects.count() == 2


def test_it_drops_the_jobs_of_an_inner_transaction_when_that_is_rolled_back() -> None:
    with outbox.together():
        kept = add.delay(1, 2)
        with transaction.atomic():
            add.delay(3, 4)
            transaction.set_rollback(True)
        with pytest.raises(RuntimeError), transaction.atomic():
            _submit_and_fail()

    assert Job.objects.get().pk == kept.id


def test_it_sends_nothing_when_the_transaction_around_it_is_rolled_back() -> None:
    with transaction.atomic():
        with outbox.together():
            add.delay(1, 2)
        assert Job.objects.count() == 1
        transaction.set_rollback(True)

    assert not Job.objects.exists()


def test_it_keeps_the_first_when_an_id_is_used_twice() -> None:
    job_id = str(uuid4())

    with outbox.together():
        add.apply_async((1, 2), task_id=job_id)
        add.apply_async((3, 4), task_id=job_id)
        add.delay(5, 6)

    assert Job.objects.get(pk=job_id).args == [1, 2]
    assert OutboxMessage.objects.count() == 2


def test_it_makes_a_running_job_wait_for_its_retry(deliver: Deliver) -> None:
    result = again.delay()
    OutboxMessage.objects.all().delete()

    deliver(again, result.id)

    message = OutboxMessage.objects.get(job_id=result.id)
    assert message.job.state == State.RETRYING
    assert (message.available_at - message.job.created_at).total_seconds() < 1000


def test_it_leaves_another_thread_alone() -> None:
    def submit() -> None:
        try:
            add.delay(1, 2)
        finally:
            connection.close()

    with outbox.together():
        add.delay(3, 4)
        other = Thread(target=submit)
        other.start()
        other.join()
        assert Job.objects.get().args == [1, 2]

    assert Job.objects.count() == 2


def test_it_raises_what_postgres_says_to_the_rows() -> None:
    def submit() -> None:
        with outbox.together():
            add.delay(1, 2)
            add.apply_async((1, 2), task_id="x" * 256)

    with pytest.raises(DatabaseError, match="too long"):
        submit()

    assert not Job.objects.exists()


def test_it_takes_groups_and_chords() -> None:
    with outbox.together():
        group(add.s(number, 1) for number in range(3)).apply_async()
        chord([add.s(1, 2), add.s(3, 4)])(add.s(5))
        assert not Job.objects.exists()

    assert Job.objects.count() == OutboxMessage.objects.count() == 5
