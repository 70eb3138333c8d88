"""POST /api/jobs/<id>/cancel/."""

import socket
import threading
import time
from typing import Any
from uuid import uuid4

import pytest
from celery import current_app
from django.db import connection, transaction
from pytest_django import DjangoCaptureOnCommitCallbacks
from rest_framework.test import APIClient

from warren.delivery import cancellation
from warren.delivery.history import Actor
from warren.delivery.models import Job, JobEvent, OutboxMessage, Worker
from warren.delivery.states import FINAL, State
from warren.jobs import cancel
from warren.jobs.conftest import MakeJob
from warren.jobs.errors import AlreadyFinalError

ADD = "arithmetic.add"
SOMEBODY = Actor(label="somebody")


@pytest.mark.django_db
def test_it_ends_a_waiting_job_and_drops_its_message(api: APIClient) -> None:
    accepted = api.post("/api/jobs/", {"task": ADD, "args": [1, 2], "countdown": 60}).json()
    other = api.post("/api/jobs/", {"task": ADD, "args": [1, 2]}).json()

    answer = api.post(accepted["links"]["cancel"])

    assert answer.status_code == 200
    assert (answer.json()["id"], answer.json()["state"]) == (accepted["id"], "cancelled")
    job = Job.objects.get(pk=accepted["id"])
    assert (job.state, job.finished_at is not None) == (State.CANCELLED, True)
    assert [message.job_id for message in OutboxMessage.objects.all()] == [other["id"]]


@pytest.mark.django_db
@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.RETRYING])
def test_it_ends_a_job_in_any_open_state(api: APIClient, make_job: MakeJob, state: State) -> None:
    job = make_job(state)

    assert api.post(f"/api/jobs/{job.pk}/cancel/").json()["state"] == "cancelled"


@pytest.mark.django_db
@pytest.mark.parametrize("state", sorted(FINAL))
def test_it_says_how_a_final_job_ended(api: APIClient, make_job: MakeJob, state: State) -> None:
    job = make_job(state)

    answer = api.post(f"/api/jobs/{job.pk}/cancel/")

    assert answer.status_code == 409
    assert state.value in answer.json()["detail"]
    job.refresh_from_db()
    assert job.state == state


@pytest.mark.django_db
def test_it_lets_owner_and_staff_only(
    make_job: MakeJob, stranger_api: APIClient, staff_api: APIClient, anybody: APIClient
) -> None:
    path = f"/api/jobs/{make_job().pk}/cancel/"

    assert [each.post(path).status_code for each in (stranger_api, anybody, staff_api)] == [404, 401, 200]


@pytest.mark.django_db
def test_it_records_who_cancelled_it_and_why(api: APIClient, make_job: MakeJob) -> None:
    job = make_job(State.RUNNING, attempt=2, worker="w1")

    told = api.post(f"/api/jobs/{job.pk}/cancel/", {"reason": "changed my mind"}).json()

    event = JobEvent.objects.get()
    assert (event.kind, event.reason, event.state, event.attempt) == ("cancelled", "changed my mind", "running", 2)
    assert [each["by"] for each in told["history"]] == ["ann@example.com"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("pool", "stops"),
    [
        ("prefork", "now"),
        ("gevent", "now"),
        ("eventlet", "now"),
        ("thread", "at_next_check"),
        ("solo", "at_next_check"),
        (None, "unknown"),
    ],
)
def test_it_promises_what_the_pool_can_keep(api: APIClient, make_job: MakeJob, pool: str | None, stops: str) -> None:
    lease = uuid4()
    if pool:
        Worker.objects.create(id=lease, name="w", pool=pool, concurrency=1, queues="cpu")
    running = make_job(State.RUNNING, lease=lease)

    assert api.post(f"/api/jobs/{running.pk}/cancel/").json()["stops"] == stops


@pytest.mark.django_db
def test_a_job_that_waits_for_another_attempt_never_starts(api: APIClient, make_job: MakeJob) -> None:
    lease = uuid4()
    Worker.objects.create(id=lease, name="w", pool="prefork", concurrency=1, queues="cpu")

    told = api.post(f"/api/jobs/{make_job(State.RETRYING, lease=lease).pk}/cancel/").json()

    assert told["stops"] == "never_started"


@pytest.mark.django_db
def test_it_cancels_many_by_ids_and_says_which_not(api: APIClient, make_job: MakeJob, stranger: Any) -> None:
    waiting, running, done = make_job(), make_job(State.RUNNING), make_job(State.SUCCEEDED)
    hidden = make_job(owner=stranger)

    answer = api.post("/api/jobs/cancel/", {"ids": [waiting.pk, running.pk, done.pk, hidden.pk]}).json()

    assert (answer["cancelled"], set(answer["ids"])) == (2, {waiting.pk, running.pk})
    assert answer["stops"] == {waiting.pk: "never_started", running.pk: "unknown"}
    assert {each["id"] for each in answer["refused"]} == {done.pk, hidden.pk}
    hidden.refresh_from_db()
    assert hidden.state == State.ACCEPTED


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wanted", "expected"),
    [({}, {"waiting", "io"}), ({"queue": "io"}, {"io"}), ({"state": "queued"}, {"io"})],
    ids=str,
)
def test_it_cancels_many_by_filter(
    api: APIClient, make_job: MakeJob, wanted: dict[str, str], expected: set[str]
) -> None:
    make_job(id="waiting")
    make_job(State.QUEUED, id="io", queue="io")
    make_job(State.FAILED, id="failed")

    answer = api.post("/api/jobs/cancel/", {"filter": wanted}).json()

    assert set(answer["ids"]) == expected
    assert answer["refused"] == []


@pytest.mark.django_db
def test_it_refuses_a_filter_of_jobs_that_have_ended(api: APIClient) -> None:
    answer = api.post("/api/jobs/cancel/", {"filter": {"state": "failed"}})

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["filter.state"])


@pytest.mark.django_db
@pytest.mark.parametrize(("state", "told"), [(State.RUNNING, 1), (State.QUEUED, 0)])
def test_it_tells_workers_of_a_running_job_after_the_commit(
    make_job: MakeJob,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    state: State,
    told: int,
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        cancel.cancel(make_job(state).pk, by=SOMEBODY)

    assert callbacks.count(cancel._tell_workers_aside) == told


def test_it_makes_workers_look() -> None:
    heard: list[Any] = []
    with current_app.connection_for_read() as broker:
        control: Any = current_app.control
        node = control.mailbox(broker).Node("test@here", channel=broker.default_channel)
        consumer = node.listen(callback=lambda body, _message: heard.append(body))
        cancel.tell_workers()
        deadline = time.monotonic() + 10
        while not heard and time.monotonic() < deadline:
            broker.drain_events(timeout=10)
        consumer.cancel()

    assert heard[0]["method"] == cancellation.LOOK


def test_it_gives_up_soon_when_the_broker_is_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1) as silent:  # takes connections and never answers
        url = f"pyamqp://guest:guest@127.0.0.1:{silent.getsockname()[1]}//"
        monkeypatch.setattr(current_app.conf, "broker_write_url", url)
        started = time.monotonic()
        cancel.tell_workers()

    assert time.monotonic() - started < 3 * cancel.BROKER_TIMEOUT_S
    assert "workers were not told" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_it_does_not_wait_for_a_relay_that_holds_the_message(api: APIClient) -> None:
    accepted = api.post("/api/jobs/", {"task": ADD, "args": [1, 2]}).json()
    answers: list[Any] = []

    with transaction.atomic():
        list(OutboxMessage.objects.select_for_update())
        thread = threading.Thread(target=lambda: answers.append(_cancel_here(accepted["id"])))
        thread.start()
        thread.join(timeout=10)

    assert answers == [cancel.Stops.NEVER_STARTED]
    assert Job.objects.get(pk=accepted["id"]).state == State.CANCELLED


@pytest.mark.django_db(transaction=True)
def test_one_of_two_cancels_wins(api: APIClient) -> None:
    accepted = api.post("/api/jobs/", {"task": ADD, "args": [1, 2]}).json()
    outcomes: list[str] = []

    def attempt() -> None:
        try:
            _cancel_here(accepted["id"])
            outcomes.append("cancelled")
        except AlreadyFinalError:
            outcomes.append("refused")

    threads = [threading.Thread(target=attempt) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["cancelled", "refused"]


def _cancel_here(job_id: str) -> cancel.Stops:
    try:
        return cancel.cancel(job_id, by=SOMEBODY)
    finally:
        connection.close()
