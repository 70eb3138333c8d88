import io
import logging
import threading
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Any

import pytest
from celery import Celery, chain, shared_task
from celery.app.trace import trace_task_ret
from celery.exceptions import Ignore
from celery.result import AsyncResult
from django.db import InternalError, connection
from django.test.utils import CaptureQueriesContext

from warren.delivery import outbox, outcomes
from warren.delivery.arrival import Arrival
from warren.delivery.batching import batch as batches
from warren.delivery.batching import log_lines
from warren.delivery.batching.batch import Batch
from warren.delivery.claim import take_all
from warren.delivery.models import Job, OutboxMessage
from warren.delivery.states import State

# the keeper has a connection of its own, which sees only what is committed
pytestmark = pytest.mark.django_db(transaction=True)

ran: list[int] = []
may_end = threading.Event()


@shared_task(name="batch.add", queue="cpu")
def add(left: int, right: int) -> int:
    ran.append(left)
    return left + right


@shared_task(name="batch.fail", queue="cpu")
def fail() -> None:
    raise ValueError("broken")


@shared_task(name="batch.hang", queue="cpu")
def hang() -> str:
    may_end.wait(20)
    return "ended"


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    ran.clear()
    may_end.clear()
    yield
    may_end.set()


type RunBatch = Callable[..., list[batches.Outcome]]


@pytest.fixture
def run_batch(app: Celery) -> RunBatch:
    """Runs submitted jobs as one batch, as a child does."""

    def run(*results: AsyncResult[Any]) -> list[batches.Outcome]:
        jobs = []
        for message in OutboxMessage.objects.filter(job_id__in=[result.id for result in results]).order_by("id"):
            envelope = message.job.envelope
            request = {**envelope.headers, "hostname": "worker-test@here", "delivery_info": {"routing_key": "cpu"}}
            jobs.append((envelope.headers["task"], message.job_id, request, envelope.body, "application/json", "utf-8"))
        OutboxMessage.objects.all().delete()
        Job.objects.filter(state=State.ACCEPTED).update(state=State.QUEUED)
        return batches.run(partial(trace_task_ret, app=app), jobs)

    return run


def test_it_runs_many_jobs_with_one_claim_and_one_finish(run_batch: RunBatch) -> None:
    results = [add.delay(number, 1) for number in range(20)]

    with CaptureQueriesContext(
        connection,
    ) as seen:
        outcomes = run_batch(*results)

    updates = [query["sql"] for query in seen.captured_queries if "UPDATE warren_job AS job" in query["sql"]]
    assert len(updates) == 2
    assert [result.get(timeout=1) for result in results] == list(range(1, 21))
    assert [returned for returned, _ in outcomes] == [True] * 20
    assert set(Job.objects.values_list("state", "attempt")) == {(State.SUCCEEDED, 1)}


def test_it_logs_successes_when_they_are_stored(run_batch: RunBatch, monkeypatch: pytest.MonkeyPatch) -> None:
    stored_when_written: list[int] = []
    pipe = io.StringIO()
    monkeypatch.setattr(
        pipe, "flush", lambda: stored_when_written.append(Job.objects.filter(state=State.SUCCEEDED).count())
    )
    handler = log_lines.Handler(pipe)
    logger = logging.getLogger(log_lines.SUCCESSES)
    monkeypatch.setattr(logger, "level", logging.INFO)
    logger.addHandler(handler)

    try:
        run_batch(*[add.delay(number, 1) for number in range(3)])
    finally:
        logger.removeHandler(handler)
        log_lines._handlers.remove(handler)

    assert pipe.getvalue().count("succeeded") == 3
    assert stored_when_written == [3]


def test_it_drops_a_job_that_was_cancelled_and_runs_the_others(run_batch: RunBatch) -> None:
    results = [add.delay(number, 1) for number in range(3)]
    Job.objects.filter(pk=results[1].id).update(state=State.CANCELLED)

    run_batch(*results)

    assert ran == [0, 2]
    assert Job.objects.get(pk=results[1].id).state == State.CANCELLED


def test_it_fails_a_job_alone_when_its_body_raises(run_batch: RunBatch) -> None:
    results = [add.delay(1, 1), fail.delay(), add.delay(2, 1)]

    outcomes = run_batch(*results)

    assert [Job.objects.get(pk=result.id).state for result in results] == ["succeeded", "failed", "succeeded"]
    assert len(outcomes) == 3


def test_it_sends_what_follows_when_a_step_of_a_chain_is_in_the_batch(run_batch: RunBatch) -> None:
    last = chain(add.s(1, 2), add.s(3))()

    run_batch(add.delay(5, 5), last.parent)

    assert OutboxMessage.objects.get().job_id == last.id


def test_it_runs_what_has_cost_a_worker_last(run_batch: RunBatch) -> None:
    results = [add.delay(number, 1) for number in range(3)]
    Job.objects.filter(pk=results[0].id).update(losses=1)

    outcomes = run_batch(*results)

    assert ran == [1, 2, 0]
    assert [value[1] for _, value in outcomes] == ["1", "2", "3"]


def test_it_changes_nothing_when_the_attempt_was_lost_meanwhile(run_batch: RunBatch) -> None:
    @shared_task(name="batch.lose", queue="cpu")
    def lose(job_id: str) -> None:
        Job.objects.filter(pk=job_id).update(attempt=7)

    first = add.delay(1, 1)

    run_batch(first, lose.delay(first.id))

    job = Job.objects.get(pk=first.id)
    assert (job.state, job.attempt) == (State.RUNNING, 7)


def test_it_stores_the_others_and_hands_back_what_waits_when_a_job_hangs(
    run_batch: RunBatch, monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., None]
) -> None:
    monkeypatch.setattr(batches, "HAND_BACK_AFTER_S", 0.2)
    first, hanging, last = add.delay(1, 1), hang.delay(), add.delay(2, 1)
    child = threading.Thread(target=_run_and_close, args=(run_batch, first, hanging, last))
    child.start()
    try:
        wait_until(lambda: Job.objects.get(pk=first.id).state == State.SUCCEEDED)
        wait_until(lambda: OutboxMessage.objects.filter(job_id=last.id).exists())
    finally:
        may_end.set()
        child.join(timeout=20)

    assert ran == [1]
    assert Job.objects.get(pk=hanging.id).state == State.SUCCEEDED
    assert Job.objects.get(pk=last.id).state == State.ACCEPTED


def test_the_keeper_goes_on_when_it_could_not_store(
    run_batch: RunBatch, monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., None]
) -> None:
    _fail_once(monkeypatch, outcomes, "succeed_all")
    first, hanging = add.delay(1, 1), hang.delay()
    child = threading.Thread(target=_run_and_close, args=(run_batch, first, hanging))
    child.start()
    try:
        wait_until(lambda: Job.objects.get(pk=first.id).state == State.SUCCEEDED)
    finally:
        may_end.set()
        child.join(timeout=20)

    assert Job.objects.get(pk=hanging.id).state == State.SUCCEEDED


def test_the_keeper_hands_back_at_the_next_turn_when_it_could_not_before(
    run_batch: RunBatch, monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., None]
) -> None:
    monkeypatch.setattr(batches, "HAND_BACK_AFTER_S", 0.2)
    _fail_once(monkeypatch, outbox, "send_again")
    hanging, last = hang.delay(), add.delay(2, 1)
    child = threading.Thread(target=_run_and_close, args=(run_batch, hanging, last))
    child.start()
    try:
        wait_until(lambda: Job.objects.filter(pk=last.id, attempt=1, state=State.ACCEPTED).exists())
    finally:
        may_end.set()
        child.join(timeout=20)

    assert ran == []
    assert OutboxMessage.objects.get().job_id == last.id


def test_it_hands_a_job_back_at_the_end_when_its_turn_passed_while_that_failed(
    run_batch: RunBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = threading.Event()
    start = Batch.start

    def start_and_tell(self: Batch, job_id: str) -> int | None:
        try:
            return start(self, job_id)
        except Ignore:
            passed.set()
            raise

    def let_it_pass() -> None:
        may_end.set()
        assert passed.wait(10)

    monkeypatch.setattr(Batch, "start", start_and_tell)
    monkeypatch.setattr(batches, "HAND_BACK_AFTER_S", 0.2)
    _fail_once(monkeypatch, outbox, "send_again", before=let_it_pass)
    hanging, last = hang.delay(), add.delay(2, 1)

    run_batch(hanging, last)

    assert ran == []
    assert OutboxMessage.objects.get().job_id == last.id


def test_it_starts_a_job_after_all_when_it_could_not_be_handed_back(monkeypatch: pytest.MonkeyPatch) -> None:
    result = add.delay(1, 1)
    batch = Batch(take_all({result.id: Arrival("1", redelivered=False)}, worker="here"))
    _fail_once(monkeypatch, outbox, "send_again")

    with pytest.raises(InternalError):
        batch.hand_back()

    assert batch.start(result.id) == 1


def test_the_keeper_sees_a_batch_that_begins_just_when_it_finds_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Racing(threading.Event):
        turns = 0

        def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002  Event's signature
            self.turns += 1
            return self.turns == 1

        def clear(self) -> None:
            monkeypatch.setattr(batches, "current", Batch({}))
            self.set()
            super().clear()

    begun = Racing()
    monkeypatch.setattr(batches, "_begun", begun)

    batches._keep()

    assert begun.is_set()


def test_it_knows_only_the_jobs_that_it_has_claimed() -> None:
    result = add.delay(1, 1)
    batch = Batch(take_all({result.id: Arrival("1", redelivered=False)}, worker="here"))

    assert (batch.start(result.id), batch.start("of another")) == (1, None)


def _fail_once(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, *, before: Callable[[], None] = lambda: None
) -> None:
    well = getattr(module, name)

    def fail(*_args: Any, **_kwargs: Any) -> Any:
        monkeypatch.setattr(module, name, well)
        before()
        raise InternalError("cannot execute UPDATE in a read-only transaction")

    monkeypatch.setattr(module, name, fail)


def _run_and_close(run_batch: RunBatch, *results: AsyncResult[Any]) -> None:
    try:
        run_batch(*results)
    finally:
        connection.close()
