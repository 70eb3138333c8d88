import os
import threading
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from django.utils import timezone

from warren.delivery import lease_rows, leases
from warren.delivery.leases import Holder, Lease
from warren.delivery.models import Job, OutboxMessage, Worker
from warren.delivery.states import State

# the lease has a connection of its own, which sees only what is committed
pytestmark = pytest.mark.django_db(transaction=True)

HOLDER = Holder(name="worker-cpu@here", pool="prefork", concurrency=2, queues="cpu")


@pytest.fixture
def cancelled() -> list[str]:
    return []


@pytest.fixture
def lease(cancelled: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Lease]:
    """A lease that is renewed ten times a second."""
    monkeypatch.setattr(leases, "RENEW_EVERY_S", 0.1)
    monkeypatch.setattr(leases, "current", None)
    monkeypatch.setattr(lease_rows, "STRAY_S", 0)
    made = Lease(HOLDER, running=lambda: ["runs-here"], cancel=cancelled.append)
    made.start()
    yield made
    made.give_up()


def _seen_at(lease_id: UUID) -> object:
    return Worker.objects.filter(pk=lease_id).values_list("seen_at", flat=True).first()


def test_it_tells_who_lives_when_it_starts_and_goes_on(lease: Lease, wait_until: Callable[..., None]) -> None:
    wait_until(lambda: _seen_at(lease.id) is not None)
    first = _seen_at(lease.id)
    wait_until(lambda: _seen_at(lease.id) != first)

    worker = Worker.objects.get(pk=lease.id)
    assert (worker.name, worker.pool, worker.concurrency, worker.queues) == ("worker-cpu@here", "prefork", 2, "cpu")
    assert leases.current == lease.id


def test_it_goes_on_when_a_renewal_fails_for_a_reason_that_nobody_foresaw(
    lease: Lease, monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    failed = threading.Event()

    def fail() -> list[str]:
        failed.set()
        raise RuntimeError("dictionary changed size during iteration")

    with monkeypatch.context() as patched:
        patched.setattr(lease, "_running", fail)
        assert failed.wait(10)
    before = _seen_at(lease.id)

    wait_until(lambda: _seen_at(lease.id) != before)

    assert "dictionary changed size" in caplog.text
    assert lease.failed_renewals >= 1


def test_it_lets_its_jobs_go_when_it_is_given_up(lease: Lease, wait_until: Callable[..., None]) -> None:
    wait_until(lambda: _seen_at(lease.id) is not None)
    running = {"task": "t", "queue": "cpu", "state": State.RUNNING, "attempt": 1, "started_at": timezone.now()}
    Job.objects.create(pk="mine", lease=lease.id, **running)
    Job.objects.create(pk="of-another", lease=UUID(int=1), **running)

    lease.give_up()

    assert not Worker.objects.exists()
    mine, other = Job.objects.get(pk="mine"), Job.objects.get(pk="of-another")
    assert (mine.state, mine.attempt, mine.losses, mine.lease) == (State.QUEUED, 1, 0, None)
    assert other.state == State.RUNNING


@pytest.mark.usefixtures("lease")
def test_it_tells_the_worker_when_a_job_that_runs_here_was_cancelled(
    cancelled: list[str], wait_until: Callable[..., None]
) -> None:
    for pk in ("runs-here", "runs-elsewhere"):
        Job.objects.create(pk=pk, task="t", queue="cpu", state=State.CANCELLED)

    wait_until(lambda: bool(cancelled))

    assert set(cancelled) == {"runs-here"}


def test_it_sends_again_what_it_holds_and_does_not_run(lease: Lease, wait_until: Callable[..., None]) -> None:
    fields = {"task": "t", "queue": "cpu", "message": "{}", "started_at": timezone.now()}
    Job.objects.create(pk="runs-here", state=State.RUNNING, lease=lease.id, **fields)
    Job.objects.create(pk="stray", state=State.RUNNING, lease=lease.id, **fields)
    Job.objects.create(pk="done", state=State.SUCCEEDED, lease=lease.id, **fields)
    Job.objects.create(pk="of-another", state=State.RUNNING, lease=UUID(int=1), **fields)

    wait_until(OutboxMessage.objects.exists)

    assert OutboxMessage.objects.get().job_id == "stray"
    assert Job.objects.get(pk="stray").losses == 0


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # that forking beside threads is a risk
def test_no_child_is_forked_while_it_works(lease: Lease, wait_until: Callable[..., None]) -> None:
    working, goes_on, forked = threading.Event(), threading.Event(), threading.Event()

    def running() -> list[str]:
        working.set()
        goes_on.wait(10)
        return []

    def fork() -> None:
        if (child := os.fork()) == 0:
            os._exit(0)
        forked.set()
        os.waitpid(child, 0)

    lease._running = running
    wait_until(working.is_set)
    threading.Thread(target=fork, daemon=True).start()

    assert not forked.wait(0.5)
    goes_on.set()
    assert forked.wait(5)
