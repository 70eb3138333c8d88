"""What rows tell: the outbox, leases and beat."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from warren.delivery.models import Job, OutboxMessage, Worker
from warren.delivery.outcomes import REPLACED
from warren.delivery.states import State
from warren.doctor.checks import beat, leases, outbox
from warren.doctor.finding import Status
from warren.scheduling.models import ScheduleLeader

pytestmark = pytest.mark.usefixtures("database")


def _ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def _message(job_id: str, *, due_s_ago: float = 0, **fields: Any) -> None:
    job = Job.objects.create(pk=job_id, task="t", queue="cpu")
    OutboxMessage.objects.create(job=job, available_at=_ago(due_s_ago), **fields)


def _worker(name: str, *, queues: str, silent_s: float = 0) -> UUID:
    row = Worker.objects.create(
        id=uuid4(), name=name, pool="prefork", concurrency=2, queues=queues, seen_at=_ago(silent_s)
    )
    return row.id


def _running(job_id: str, *, lease: UUID | None, started_s_ago: float) -> None:
    Job.objects.create(
        pk=job_id,
        task="t",
        queue="cpu",
        state=State.RUNNING,
        message="{}",
        worker="w",
        lease=lease,
        started_at=_ago(started_s_ago),
    )


@pytest.mark.parametrize(
    ("due_s_ago", "status"), [(-60, Status.OK), (1, Status.OK), (30, Status.WARN), (300, Status.FAIL)]
)
def test_an_outbox_that_nobody_empties_is_found(due_s_ago: float, status: Status) -> None:
    _message("waits", due_s_ago=due_s_ago)

    finding = outbox.moves()

    assert finding.status is status
    assert ("restart relay" in finding.do) == (status is not Status.OK)


def test_an_empty_outbox_is_fine() -> None:
    assert outbox.moves().found == "nothing waits in it"
    assert outbox.refused().status is Status.OK


@pytest.mark.parametrize(("failures", "status"), [(1, Status.WARN), (3, Status.FAIL)])
def test_refused_messages_are_told_with_their_reason(failures: int, status: Status) -> None:
    for job_id in ("one", "two"):
        _message(job_id, failures=failures, last_error="no queue takes 'cpuu'")
    _message("other", failures=1, last_error="not a message")

    finding = outbox.refused()

    assert finding.status is status
    assert finding.found.startswith(f"2 messages, up to {failures} times: no queue takes 'cpuu'; 1 messages")
    assert "jobs show one" in finding.do


def test_workers_that_renew_their_leases_are_fine() -> None:
    _worker("cpu@a", queues="cpu")
    _worker("io@b", queues="io,special")
    _worker("cpu@a", queues="cpu", silent_s=600)  # its former life

    finding = leases.alive()

    assert (finding.status, finding.found) == (
        Status.OK,
        "cpu@a: prefork of 2 for cpu; io@b: prefork of 2 for io,special",
    )


def test_a_queue_that_no_living_worker_serves_fails() -> None:
    _worker("cpu@a", queues="cpu")
    _worker("io@b", queues="io", silent_s=60)

    finding = leases.alive()

    assert finding.status is Status.FAIL
    assert "no worker for io" in finding.found
    assert "docker compose up --detach worker-io" in finding.do


def test_a_worker_that_fell_silent_is_worth_a_warning() -> None:
    _worker("all@a", queues="cpu,io")
    _worker("all@b", queues="cpu,io", silent_s=600)

    finding = leases.alive()

    assert finding.status is Status.WARN
    assert finding.found.endswith("silent: all@b for 10 min")


def test_jobs_that_run_under_a_lease_are_fine() -> None:
    _running("runs", lease=_worker("all@a", queues="cpu"), started_s_ago=600)
    _running("replaced", lease=REPLACED, started_s_ago=600)
    _running("begins", lease=None, started_s_ago=1)

    assert leases.held().status is Status.OK


@pytest.mark.parametrize(("silent_s", "status"), [(40, Status.WARN), (120, Status.FAIL)])
def test_jobs_of_a_worker_that_is_gone_are_found(silent_s: float, status: Status) -> None:
    _running("lost", lease=_worker("all@a", queues="cpu", silent_s=silent_s), started_s_ago=600)

    finding = leases.held()

    assert finding.status is status
    assert "1 by all@a, silent for" in finding.found


def test_a_job_whose_worker_nobody_knows_is_found() -> None:
    _running("lost", lease=uuid4(), started_s_ago=600)

    assert leases.held().status is Status.FAIL


def _leader(*, silent_s: float) -> None:
    ScheduleLeader.objects.create(name="beat-1", backend_pid=1, since=_ago(7200), seen_at=_ago(silent_s))


def test_a_beat_that_leads_is_fine() -> None:
    _leader(silent_s=1)
    every = IntervalSchedule.objects.create(every=1, period="minutes")
    PeriodicTask.objects.create(name="often", task="t", interval=every, last_run_at=_ago(40))
    PeriodicTask.objects.create(name="off", task="t", interval=every, enabled=False)

    finding = beat.leads()

    assert finding.status is Status.OK
    assert finding.found == "beat-1 leads since 2 h; 1 entries, the last that fired: often, 40 s ago"


def test_a_beat_that_fell_silent_fails() -> None:
    _leader(silent_s=60)

    finding = beat.leads()

    assert finding.status is Status.FAIL
    assert "silent for 60 s" in finding.found
    assert "restart beat" in finding.do


def test_no_beat_at_all_fails() -> None:
    assert beat.leads().found == "no beat has ever led: nothing scheduled fires"
