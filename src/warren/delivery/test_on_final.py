"""A job that wants a call at its end gets one for each end, in the same transaction, whatever way it ends."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import chain, chord, current_app, shared_task
from celery.exceptions import Ignore, TimeLimitExceeded
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from warren.delivery import endings, expiry, losses, on_final, retry
from warren.delivery.batching import batch as batches
from warren.delivery.conftest import Deliver, Run
from warren.delivery.errors import UnknownOptionError
from warren.delivery.history import Actor
from warren.delivery.models import Job, OutboxMessage
from warren.delivery.ownership import owned_by
from warren.delivery.states import State

pytestmark = pytest.mark.django_db

CALL = "ending.call"


@shared_task(name=CALL, queue="io")
def call(**_told: Any) -> None:
    """What is sent at the end."""


@shared_task(name="ending.add", queue="cpu")
def add(left: int, right: int = 0) -> int:
    return left + right


@shared_task(name="ending.book", queue="cpu", transactional=True)  # type: ignore[call-overload, untyped-decorator]  # transactional= is ours
def book() -> int:
    return 1


@shared_task(name="ending.fail", queue="cpu")
def fail(*_args: Any) -> None:
    raise ValueError("no")


@shared_task(name="ending.ignore", queue="cpu")
def ignore() -> None:
    raise Ignore


@shared_task(name="ending.again", queue="cpu", bind=True, max_retries=1)
def again(self: Any) -> int:
    if self.request.retries == 0:
        raise self.retry(countdown=0)
    return 2


@shared_task(name="ending.total", queue="cpu")
def total(numbers: list[int]) -> int:
    return sum(numbers)


@shared_task(name="ending.replace", queue="cpu", bind=True)
def replace(self: Any, kind: str) -> None:
    replacements = {
        "task": add.s(3, 4),
        "chain": chain(add.s(1, 2), add.s(4)),
        "chord": chord([add.s(1, 2), add.s(2, 2)], total.s()),
    }
    self.replace(replacements[kind])


@shared_task(name="ending.lose", queue="cpu", durable=False)  # type: ignore[call-overload, untyped-decorator]  # durable= is ours
def lose() -> None:
    """A task that may be lost."""


def _checked(value: Any) -> Any:
    if value == "bad":
        raise ValueError("bad")
    return {"to": value}


@pytest.fixture(autouse=True)
def _offered() -> Iterator[None]:
    on_final.offer("tell", task=CALL, check=_checked)
    yield
    del on_final._offers["tell"]


@pytest.fixture
def run(deliver: Deliver) -> Run:
    """Delivers what is in the outbox, but for the calls; returns how many messages that were."""

    def run_all() -> int:
        count = 0
        while message := OutboxMessage.objects.exclude(job__task=CALL).order_by("id").first():
            message.delete()
            envelope = message.job.envelope
            args, _kwargs, embed = json.loads(envelope.body)
            headers = {name: value for name, value in envelope.headers.items() if name != "id"}
            deliver(current_app.tasks[envelope.headers["task"]], message.job_id, *args, **headers, **embed)
            count += 1
        return count

    return run_all


def _send(task: Any, *args: Any, **options: Any) -> Any:
    return task.apply_async(args, **options)


def _telling(signature: Any, to: str = "ann") -> Any:
    return signature.set(tell=to)


def _calls() -> list[Job]:
    return list(Job.objects.filter(task=CALL).order_by("created_at", "id"))


def _told_of(job_id: str) -> list[str]:
    return [each.kwargs["state"] for each in _calls() if each.kwargs["job_id"] == job_id]


@pytest.mark.parametrize(
    ("task", "state"),
    [(add.s(1, 2), "succeeded"), (book.s(), "succeeded"), (ignore.s(), "succeeded"), (again.s(), "succeeded")]
    + [(fail.s(), "failed"), (lose.s(), "succeeded")]
    + [(replace.s(kind), "succeeded") for kind in ("task", "chain", "chord")],
    ids=str,
)
def test_it_calls_once_when_the_job_ends_in_a_worker(task: Any, state: str, run: Run) -> None:
    result = task.set(tell="ann").delay()
    assert _calls() == []

    run()

    [told] = _calls()
    job = Job.objects.get(pk=result.id)
    assert job.finished_at is not None
    assert job.state == state
    assert told.kwargs == {
        "job_id": job.pk,
        "state": state,
        "attempt": job.attempt,
        "ended_at": job.finished_at.isoformat(),
    }
    assert told.envelope.headers[on_final.VALUE] == {"to": "ann"}
    assert (told.queue, told.state, told.parent_id) == ("io", State.ACCEPTED, job.pk)


def test_a_call_wants_no_call_itself(run: Run) -> None:
    _send(add, 1, tell="ann")

    run()

    assert len(_calls()) == 1
    assert on_final.HEADER not in _calls()[0].envelope.headers


@pytest.mark.parametrize("state", [State.CANCELLED, State.DEAD])
def test_it_calls_when_the_job_is_ended_from_outside(state: State) -> None:
    job = Job.objects.get(pk=_send(add, 1, tell="ann").id)

    assert endings.end(job, state=state, error=ValueError("why"))
    assert not endings.end(job, state=state, error=ValueError("why"))

    assert _told_of(job.pk) == [state]


def test_it_calls_when_the_job_expires() -> None:
    job_id = _send(add, 1, tell="ann", countdown=60, expires=120).id
    Job.objects.filter(pk=job_id).update(expires_at=timezone.now() - timedelta(seconds=1))

    expiry.settle([job_id])

    assert _told_of(job_id) == ["expired"]


def test_it_calls_when_the_job_has_killed_its_worker_too_often() -> None:
    job_id = _send(add, 1, tell="ann").id
    Job.objects.filter(pk=job_id).update(state=State.RUNNING, losses=losses.LOSS_LIMIT - 1)

    losses.count(Job.objects.select_for_update().get(pk=job_id), reason="gone")

    assert _told_of(job_id) == ["dead"]


def test_it_calls_when_a_hard_time_limit_ends_the_job(app: Any) -> None:
    job = Job.objects.get(pk=_send(add, 1, tell="ann").id)
    Job.objects.filter(pk=job.pk).update(state=State.RUNNING, started_at=timezone.now() - timedelta(minutes=1))

    app.backend.mark_as_failure(job.pk, TimeLimitExceeded(1), request=endings.request_of(job))

    assert _told_of(job.pk) == ["failed"]


def test_it_calls_again_when_the_job_has_been_retried_by_hand_and_ends_once_more(run: Run) -> None:
    job_id = _send(fail, tell="ann").id
    run()
    retry.retry([job_id], by=Actor(label="a test"))

    run()

    assert _told_of(job_id) == ["failed", "failed"]
    assert len({each.pk for each in _calls()}) == 2
    assert sorted(each.kwargs["attempt"] for each in _calls()) == [1, 2]


def test_it_calls_for_steps_that_are_never_sent_and_passes_over_a_bad_wish(run: Run) -> None:
    steps = chain(fail.s(), _telling(add.s(1)), _telling(add.s(2), "bad"), add.s(3))
    last: Any = steps.delay()
    second = last.parent.parent

    run()

    assert Job.objects.get(pk=last.id).state == State.FAILED
    assert [each.kwargs["job_id"] for each in _calls()] == [second.id]
    assert _calls()[0].kwargs["state"] == "failed"


def test_it_calls_for_the_body_of_a_chord_that_fails(run: Run) -> None:
    body: Any = chord([add.s(1, 1), fail.s()], _telling(total.s())).delay()

    run()

    assert _told_of(body.id) == ["failed"]


def test_what_follows_in_a_chain_wants_its_own_call_only(run: Run) -> None:
    last = chain(add.s(1, 1), _telling(add.s(2))).delay()

    run()

    assert [each.kwargs["job_id"] for each in _calls()] == [last.id]


def test_the_call_belongs_to_the_jobs_owner_whoever_ends_it() -> None:
    owner = get_user_model().objects.create_user("ann@example.com")
    with owned_by(owner.pk):
        job = Job.objects.get(pk=_send(add, 1, tell="ann").id)

    endings.end(job, state=State.CANCELLED, error=ValueError("why"))

    assert _calls()[0].owner_id == owner.pk


def test_a_late_result_calls_nobody(deliver: Deliver) -> None:
    job = Job.objects.get(pk=_send(add, 1, tell="ann").id)
    OutboxMessage.objects.all().delete()
    endings.end(job, state=State.CANCELLED, error=ValueError("why"))

    deliver(add, job.pk, 1, **{on_final.HEADER: job.envelope.headers[on_final.HEADER]})

    assert _told_of(job.pk) == ["cancelled"]


def test_the_job_ends_though_the_call_cannot_be_made(run: Run) -> None:
    on_final.offer("tell", task="ending.gone", check=_checked)
    job_id = _send(add, 1, tell="ann").id

    run()

    assert Job.objects.get(pk=job_id).state == State.SUCCEEDED
    assert _calls() == []


@pytest.mark.django_db(transaction=True)  # the batch's keeper has a connection of its own
def test_in_a_batch_it_is_stored_with_its_call(deliver: Deliver) -> None:
    ids = [_send(add, 1, **options).id for options in ({"tell": "ann"}, {})]
    headers = Job.objects.get(pk=ids[0]).envelope.headers

    def trace(job_id: str) -> None:
        given = {on_final.HEADER: headers[on_final.HEADER]} if job_id == ids[0] else {}
        deliver(add, job_id, 1, **given)

    requests = [("ending.add", job_id, {"hostname": "h", "delivery_info": {}, "properties": {}}) for job_id in ids]
    outcomes = batches.run(lambda _task, job_id, _request: trace(job_id), requests)

    assert [ok for ok, _ in outcomes] == [True, True]
    assert set(Job.objects.filter(pk__in=ids).values_list("state", flat=True)) == {State.SUCCEEDED}
    assert [each.kwargs["job_id"] for each in _calls()] == [ids[0]]


def test_a_job_without_a_wish_costs_no_query_more(deliver: Deliver) -> None:
    job_id = add.delay(1).id

    with CaptureQueriesContext(connection) as queries:
        deliver(add, job_id, 1)

    assert Job.objects.get(pk=job_id).state == State.SUCCEEDED
    assert len(queries) == 2, [each["sql"] for each in queries]  # claim and finish


def test_a_bad_value_is_told_to_the_caller_and_nothing_is_sent() -> None:
    with pytest.raises(ValueError, match="bad"):
        _send(add, 1, tell="bad")

    assert not Job.objects.exists()


def test_an_option_that_nobody_offers_is_said_to_be_none() -> None:
    with pytest.raises(UnknownOptionError, match="'write'"):
        on_final.check("write", "ann")


def test_the_wish_is_part_of_what_an_idempotency_key_stands_for() -> None:
    first = _send(add, 1, tell="ann", idempotency_key="k")

    assert _send(add, 1, tell="ann", idempotency_key="k").id == first.id
    with pytest.raises(Exception, match="other content"):
        _send(add, 1, tell="bob", idempotency_key="k")
