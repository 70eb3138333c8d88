"""POST /api/jobs/<id>/cancel/."""

import socket
import threading
import time
from typing import Any

import pytest
from celery import current_app
from django.db import connection, transaction
from pytest_django import DjangoCaptureOnCommitCallbacks
from rest_framework.test import APIClient

from warren.delivery.models import Job, OutboxMessage
from warren.delivery.states import FINAL, State
from warren.jobs import cancel
from warren.jobs.conftest import MakeJob
from warren.jobs.errors import AlreadyFinalError

ADD = "arithmetic.add"


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
@pytest.mark.parametrize(("state", "told"), [(State.RUNNING, 1), (State.QUEUED, 0)])
def test_it_tells_workers_of_a_running_job_after_the_commit(
    make_job: MakeJob,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    state: State,
    told: int,
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        cancel.cancel(make_job(state).pk)

    assert len(callbacks) == told


def test_it_sends_a_terminating_revoke() -> None:
    heard: list[Any] = []
    with current_app.connection_for_read() as broker:
        control: Any = current_app.control
        node = control.mailbox(broker).Node("test@here", channel=broker.default_channel)
        consumer = node.listen(callback=lambda body, _message: heard.append(body))
        cancel.tell_workers("job-1")
        deadline = time.monotonic() + 10
        while not heard and time.monotonic() < deadline:
            broker.drain_events(timeout=10)
        consumer.cancel()

    assert heard[0]["method"] == "revoke"
    assert heard[0]["arguments"] == {"task_id": "job-1", "terminate": True, "signal": "SIGTERM"}


def test_it_gives_up_soon_when_the_broker_is_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1) as silent:  # takes connections and never answers
        url = f"pyamqp://guest:guest@127.0.0.1:{silent.getsockname()[1]}//"
        monkeypatch.setattr(current_app.conf, "broker_write_url", url)
        started = time.monotonic()
        cancel.tell_workers("job-1")

    assert time.monotonic() - started < 3 * cancel.BROKER_TIMEOUT_S
    assert "job-1" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_it_does_not_wait_for_a_relay_that_holds_the_message(api: APIClient) -> None:
    accepted = api.post("/api/jobs/", {"task": ADD, "args": [1, 2]}).json()
    answers: list[Any] = []

    with transaction.atomic():
        list(OutboxMessage.objects.select_for_update())
        thread = threading.Thread(target=lambda: answers.append(_cancel_here(accepted["id"])))
        thread.start()
        thread.join(timeout=10)

    assert [job.state for job in answers] == [State.CANCELLED]


@pytest.mark.django_db(transaction=True)
def test_one_of_two_cancels_wins(api: APIClient) -> None:
    accepted = api.post("/api/jobs/", {"task": ADD, "args": [1, 2]}).json()
    outcomes: list[str] = []

    def attempt() -> None:
        try:
            outcomes.append(_cancel_here(accepted["id"]).state)
        except AlreadyFinalError:
            outcomes.append("refused")

    threads = [threading.Thread(target=attempt) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["cancelled", "refused"]


def _cancel_here(job_id: str) -> Job:
    try:
        return cancel.cancel(job_id)
    finally:
        connection.close()
