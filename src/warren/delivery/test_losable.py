import json
import time
from typing import Any

import pytest
from celery import Celery, Task, chain, chord, shared_task
from celery.exceptions import Retry
from celery.result import AsyncResult
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models.functions import Now
from kombu import Queue
from kombu.exceptions import OperationalError

from warren.delivery import losable
from warren.delivery.conftest import Deliver
from warren.delivery.errors import BrokerUnreachableError, LosableInChordError
from warren.delivery.models import Job, OutboxMessage
from warren.delivery.states import State
from warren.delivery.task import JobTask

pytestmark = pytest.mark.django_db(transaction=True)

type Queues = dict[str, Queue]

ARRIVED_WITHIN_S = 10

ran: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    ran.clear()


@shared_task(name="losable.note", queue="cpu", durable=False)  # type: ignore[call-overload, untyped-decorator]  # celery-types lacks ours
def note(what: str) -> str:
    ran.append(what)
    return what


@shared_task(name="losable.fail", queue="cpu", durable=False)  # type: ignore[call-overload, untyped-decorator]  # celery-types lacks ours
def fail() -> None:
    raise ValueError("on purpose")


@shared_task(name="losable.again", queue="cpu", durable=False, bind=True)  # type: ignore[call-overload, untyped-decorator]  # celery-types lacks ours
def again(self: "Task[[], str]") -> str:
    if not self.request.retries:
        raise self.retry(countdown=30)
    return "done"


@shared_task(name="losable.kept", queue="io")
def kept(what: str) -> str:
    return what


def _take(queue: Queue) -> Any:
    """The next message; nobody waited for the broker to have it."""
    deadline = time.monotonic() + ARRIVED_WITHIN_S
    while (message := queue.get(no_ack=True)) is None:
        assert time.monotonic() < deadline, f"{queue.name} is empty"
        time.sleep(0.01)
    return message


def test_it_goes_straight_to_the_broker_and_leaves_no_row_when_sent(queues: Queues) -> None:
    result = note.delay("x")

    message = _take(queues["cpu"])
    assert (message.headers["id"], message.headers["losable"], message.payload[0]) == (result.id, True, ["x"])
    assert message.properties["delivery_mode"] == 1
    assert not Job.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_it_says_pending_for_ever_and_waits_for_nothing_when_asked(queues: Queues, deliver: Deliver) -> None:
    result = note.delay("x")
    deliver(note, result.id, "x", losable=True)

    assert result.get(timeout=10) is None
    assert AsyncResult(result.id).state == "PENDING"
    assert _take(queues["cpu"]).headers["id"] == result.id


def test_it_runs_without_a_claim_and_stores_nothing_when_delivered(deliver: Deliver) -> None:
    assert deliver(note, "some-id", "x", losable=True).retval == "x"
    assert isinstance(deliver(fail, "other-id", losable=True).info.retval, ValueError)

    assert ran == ["x"]
    assert not Job.objects.exists()


def test_it_claims_when_the_message_of_an_ordinary_task_says_it_were_losable(deliver: Deliver) -> None:
    deliver(kept, "some-id", "x", losable=True)

    assert Job.objects.get(pk="some-id").attempt == 1


def test_it_is_sent_when_the_transaction_commits_and_not_when_it_is_rolled_back(queues: Queues) -> None:
    with transaction.atomic():
        note.delay("rolled back")
        transaction.set_rollback(True)
    with transaction.atomic():
        committed = note.delay("committed")
        assert queues["cpu"].get() is None

    assert _take(queues["cpu"]).headers["id"] == committed.id
    assert queues["cpu"].get() is None


@pytest.mark.parametrize("options", [{"countdown": 30}, {"headers": {losable.SCHEDULED: True}}], ids=["delay", "beat"])
def test_it_is_a_job_like_any_other_when_it_must_wait_or_is_scheduled(
    queues: Queues, deliver: Deliver, options: dict[str, Any]
) -> None:
    result = note.apply_async(("x",), **options)

    headers = OutboxMessage.objects.get().job.envelope.headers
    assert losable.HEADER not in headers
    assert queues["cpu"].get() is None
    Job.objects.update(available_at=Now())  # its time comes
    deliver(note, result.id, "x", **{name: headers[name] for name in ("celery_beat_task",) if name in headers})
    assert Job.objects.get(pk=result.id).state == State.SUCCEEDED


def test_it_waits_as_an_ordinary_job_when_it_retries(deliver: Deliver) -> None:
    outcome = deliver(again, "some-id", losable=True)

    assert isinstance(outcome.info.retval, Retry)
    message = OutboxMessage.objects.get()
    assert (message.job_id, losable.HEADER in message.job.envelope.headers) == ("some-id", False)
    Job.objects.update(available_at=Now())  # its time comes
    deliver(again, "some-id", retries=1)
    assert Job.objects.get(pk="some-id").state == State.SUCCEEDED


def test_it_takes_part_in_chains(queues: Queues, deliver: Deliver) -> None:
    first = chain(note.s("x"), kept.s()).apply_async().parent
    assert isinstance(first, AsyncResult)
    body = json.loads(_take(queues["cpu"]).body)

    deliver(note, first.id, "x", losable=True, chain=body[2]["chain"])

    following = Job.objects.get()
    assert (following.task, following.args, following.parent_id) == ("losable.kept", ["x"], first.id)


@pytest.mark.parametrize("part", [note.s("x"), chain(note.s("x"), kept.s())], ids=["alone", "in a chain"])
def test_it_is_refused_as_part_of_a_chord(part: Any) -> None:
    with pytest.raises(LosableInChordError, match=r"losable\.note"):
        chord([part, kept.s("y")])(kept.s())


def test_it_raises_soon_and_clearly_when_the_broker_is_away(away: None) -> None:  # noqa: ARG001  takes it away
    started = time.monotonic()

    with pytest.raises(
        BrokerUnreachableError, match=r"losable\.note is declared durable=False and was not sent"
    ) as told:
        note.delay("x")

    assert isinstance(told.value, OperationalError)
    assert time.monotonic() - started < 5


def test_it_logs_the_loss_and_raises_nothing_when_the_broker_is_away_at_the_commit(
    away: None,  # noqa: ARG001  takes it away
    caplog: pytest.LogCaptureFixture,
) -> None:
    with transaction.atomic():
        note.delay("x")
        kept.delay("y")

    assert "lost, since its transaction is committed: task losable.note" in caplog.text
    assert Job.objects.get().task == "losable.kept"


@pytest.fixture
def away(app: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker's address is one where nobody listens."""
    monkeypatch.setattr(app.conf, "broker_write_url", "pyamqp://127.0.0.1:1//")
    monkeypatch.setattr(app.amqp, "_producer_pool", None)


@pytest.mark.parametrize("option", [{"transactional": True}, {"arguments": object}], ids=["transactional", "arguments"])
def test_it_refuses_a_declaration_that_promises_more(option: dict[str, Any]) -> None:
    app = Celery("promises", set_as_current=False, task_cls=JobTask)

    with pytest.raises(ImproperlyConfigured, match=r"promises\.note: durable=False excludes"):

        @app.task(name="promises.note", durable=False, lazy=False, shared=False, **option)
        def promising() -> None: ...
