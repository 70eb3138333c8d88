"""GET /api/task-result/<task_id>/."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from warren.delivery.models import Job
from warren.delivery.states import State
from warren.jobs.conftest import MakeJob

pytestmark = pytest.mark.django_db

FAILURE = json.dumps({"exc_type": "ValueError", "exc_message": ["no such thing"], "exc_module": "builtins"})


def _ask(api: APIClient, job: Job) -> Any:
    return api.get(f"/api/task-result/{job.pk}/").json()


@pytest.mark.parametrize("state", [State.ACCEPTED, State.QUEUED])
def test_it_says_that_a_task_waits(api: APIClient, make_job: MakeJob, state: State) -> None:
    assert _ask(api, make_job(state)) == {
        "status": "The task is waiting to be run.",
        "state": "PENDING",
        "ready": False,
        "successful": False,
        "failed": False,
    }


def test_it_says_that_a_task_runs(api: APIClient, make_job: MakeJob) -> None:
    answer = _ask(api, make_job(State.RUNNING))

    assert (answer["status"], answer["state"], answer["ready"]) == ("The task is running.", "STARTED", False)


@pytest.mark.parametrize("result", [3, None, {"a": [1]}, "text", False])
def test_it_gives_the_result(api: APIClient, make_job: MakeJob, result: Any) -> None:
    assert _ask(api, make_job(State.SUCCEEDED, result=json.dumps(result))) == {
        "status": "The task has succeeded.",
        "state": "SUCCESS",
        "ready": True,
        "successful": True,
        "failed": False,
        "result": result,
    }


@pytest.mark.parametrize("state", [State.FAILED, State.DEAD])
def test_it_gives_the_error(api: APIClient, make_job: MakeJob, state: State) -> None:
    assert _ask(api, make_job(state, result=FAILURE)) == {
        "status": "The task has failed.",
        "state": "FAILURE",
        "ready": True,
        "successful": False,
        "failed": True,
        "error": "no such thing",
    }


@pytest.mark.parametrize(
    ("state", "celery_state", "ready"),
    [(State.RETRYING, "RETRY", False), (State.CANCELLED, "REVOKED", True), (State.EXPIRED, "REVOKED", True)],
)
def test_it_names_any_other_state(
    api: APIClient, make_job: MakeJob, state: State, celery_state: str, ready: object
) -> None:
    answer = _ask(api, make_job(state))

    assert celery_state in answer["status"]
    assert (answer["state"], answer["ready"], answer["successful"], answer["failed"]) == (
        celery_state,
        ready,
        False,
        False,
    )


def test_it_names_a_state_of_the_tasks_own(api: APIClient, make_job: MakeJob) -> None:
    progress = json.dumps({"state": "PROGRESS", "meta": {"done": 1}})

    answer = _ask(api, make_job(State.RUNNING, progress=progress))

    assert "PROGRESS" in answer["status"]
    assert answer["ready"] is False


def test_it_writes_what_json_cannot_say_as_text(api: APIClient, make_job: MakeJob) -> None:
    answer = _ask(api, make_job(State.SUCCEEDED, result='[NaN, -Infinity, "\\ud800", "\\u0000"]'))

    assert answer["result"] == ["nan", "-inf", "?", "\x00"]


def test_it_shows_tasks_to_their_owner_and_to_staff_only(
    make_job: MakeJob, stranger_api: APIClient, staff_api: APIClient, anybody: APIClient
) -> None:
    path = f"/api/task-result/{make_job().pk}/"

    assert [each.get(path).status_code for each in (stranger_api, staff_api, anybody)] == [404, 200, 401]


@pytest.mark.parametrize("task_id", ["nothing", "%00", "x" * 3000, "%ED%A0%80"])
def test_it_knows_nothing_else(api: APIClient, task_id: str) -> None:
    answer = api.get(f"/api/task-result/{task_id}/")

    assert answer.status_code == 404
    assert answer.json()["detail"]
