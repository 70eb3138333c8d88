import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from celery import Celery, shared_task
from django.db import connection
from django.utils import timezone
from kombu import Queue

from warren.delivery import history, lease_rows, leases, reconciler, retry
from warren.delivery.conftest import Deliver, Run, none_waits
from warren.delivery.models import Job, OutboxMessage, Worker
from warren.delivery.relay import Relay
from warren.delivery.states import State

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = timedelta(hours=1)

ran: list[str] = []


class WorkerEndsError(BaseException):
    """Nothing of Celery's or Warren's runs after it, as when the process is killed."""


@shared_task(name="adoption.note", queue="cpu", bind=True)
def note(self: Any, text: str) -> str:
    ran.append(f"{text} {self.request.headers['tenant']}")
    if len(ran) == 1:
        raise WorkerEndsError
    return text


@shared_task(name="adoption.follow", queue="cpu")
def follow(result: str) -> str:
    ran.append(f"after {result}")
    return result


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    ran.clear()


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    made = Worker.objects.create(id=uuid4(), name="worker-cpu@here", pool="prefork", concurrency=1, queues="cpu")
    monkeypatch.setattr(leases, "current", made.pk)
    return made


def _adopted(deliver: Deliver) -> Job:
    """A job of a foreign producer, which has just cost its worker."""
    job_id = str(uuid4())
    headers = {"task": note.name, "lang": "py", "retries": 0, "root_id": job_id, "timelimit": [None, 60]}
    custom = {"tenant": "north", "x-delivery-count": 3, "sent_at": datetime(2026, 11, 22, tzinfo=UTC)}
    with pytest.raises(WorkerEndsError):
        deliver(note, job_id, "foreign", **headers, **custom, callbacks=[dict(follow.s())])
    Job.objects.update(started_at=timezone.now() - LONG_AGO)
    return Job.objects.get()


@pytest.mark.usefixtures("worker")
def test_it_runs_again_with_what_follows_when_its_worker_is_gone(deliver: Deliver, run: Run) -> None:
    job = _adopted(deliver)
    Worker.objects.update(seen_at=timezone.now() - LONG_AGO)

    assert reconciler.run(none_waits, now=timezone.now()) == [job.pk]
    run()

    job.refresh_from_db()
    assert ran == ["foreign north", "foreign north", "after foreign"]
    assert (job.state, job.attempt, job.losses, job.result) == (State.SUCCEEDED, 2, 1, '"foreign"')


def test_it_is_published_again_as_it_was_when_the_broker_was_wiped_under_its_worker(
    deliver: Deliver, worker: Worker, app: Celery, queues: dict[str, Queue]
) -> None:
    job = _adopted(deliver)
    relay = Relay(app, on_pass=lambda: None)
    driver: Any = connection.connection

    assert lease_rows.send_strays_again(driver, {"id": worker.pk, "queues": "cpu"}, running=[]) == [job.pk]
    relay.run_pass()

    relay.close()
    message: Any = queues["cpu"].get(no_ack=True)
    assert not OutboxMessage.objects.exists()
    args, kwargs, embed = json.loads(message.body)
    assert (args, kwargs, embed["callbacks"][0]["task"]) == (["foreign"], {}, follow.name)
    kept = {"id": job.pk, "task": note.name, "timelimit": [None, 60], "tenant": "north", "root_id": job.pk}
    assert kept.items() <= message.headers.items()
    assert not {"sent_at", "x-delivery-count"} & set(job.envelope.headers)


def test_it_can_be_retried_by_hand(deliver: Deliver, run: Run) -> None:
    job = _adopted(deliver)
    Job.objects.update(state=State.FAILED, finished_at=timezone.now())

    assert retry.retry([job.pk], by=history.Actor(label="a test")).retried == [job.pk]
    run()

    job.refresh_from_db()
    assert (job.state, job.attempt) == (State.SUCCEEDED, 2)
