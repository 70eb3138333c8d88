"""Django's own tasks, enqueued in the web container, run by both workers."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.integration import pools
from tests.stack import django_code
from tests.stack.api import Api
from tests.stack.stack import Stack

TOGETHER = 20


@pytest.fixture
def call(stack: Stack) -> Any:
    """Calls a function of the probe app's `by_django` inside the web container."""

    def run(function: str, *args: Any, **kwargs: Any) -> Any:
        given = ", ".join([*map(repr, args), *(f"{name}={value!r}" for name, value in kwargs.items())])
        return django_code.run(stack, f"from apps.probe import by_django\nanswer = by_django.{function}({given})")

    return run


def test_a_task_is_a_job_under_its_path(call: Any, admin: Api) -> None:
    told = call("added")

    job = admin.job(told["id"])
    assert (told["status"], told["value"], told["workers"]) == ("SUCCESSFUL", 5, ["worker-cpu"])
    assert (job["task"], job["queue"], job["state"]) == ("apps.probe.tasks.django_add", "cpu", "succeeded")


@pytest.mark.parametrize("queue", ["cpu", "io"])
def test_a_coroutine_runs_and_fails_in_this_worker_which_had_not_imported_it(call: Any, queue: str) -> None:
    napped, failed = call("napped", queue, count=1, seconds=0.1), call("failed", queue)

    assert (napped["status"], napped["value"], napped["workers"]) == ("SUCCESSFUL", [1, 0], [f"worker-{queue}"])
    assert (failed["status"], failed["workers"]) == ("FAILED", [f"worker-{queue}"])
    assert [path for path, _ in failed["errors"]] == ["builtins.ValueError"]
    assert "ValueError: no luck" in failed["errors"][0][1]


def test_coroutines_of_the_io_worker_wait_together(call: Any) -> None:
    told = call("napped", "io", count=TOGETHER, seconds=2)

    assert told["statuses"] == ["SUCCESSFUL"]
    assert told["span_s"] < TOGETHER, "one after the other, or nearly so"


@pytest.mark.settings(**pools.THREADS_AND_EVENTLET)
def test_a_coroutine_runs_in_threads_and_says_why_it_cannot_in_eventlet(call: Any) -> None:
    in_threads, in_eventlet = (call("napped", queue, count=3, seconds=0.1) for queue in ("cpu", "io"))

    assert in_threads["statuses"] == ["SUCCESSFUL"]
    assert in_eventlet["statuses"] == ["FAILED"]
    assert "does not run in the eventlet pool: use gevent" in in_eventlet["errors"][0][1]


@pytest.mark.settings(**pools.SOLO_AND_THREADS)
def test_a_coroutine_runs_in_solo(call: Any) -> None:
    assert call("napped", "cpu", count=3, seconds=0.1)["statuses"] == ["SUCCESSFUL"]


def test_a_task_runs_no_sooner_than_it_is_due(call: Any) -> None:
    told = call("deferred")

    assert (told["first"], told["last"]) == ("READY", "SUCCESSFUL")
    assert told["late_s"] >= 0


def test_a_task_of_a_transaction_that_failed_was_never_accepted(call: Any, admin: Api) -> None:
    assert admin.get(f"/api/jobs/{call('rolled_back')}/").status_code == httpx.codes.NOT_FOUND


def test_a_task_is_not_for_requests_to_call(call: Any, member: Api) -> None:
    name = "apps.probe.tasks.django_add"
    call("added")

    listed = {task["name"] for task in member.get("/api/tasks/").json()}
    refused = member.post("/api/jobs/", {"task": name, "args": [1, 2]})

    assert name not in listed
    assert refused.status_code == httpx.codes.UNPROCESSABLE_ENTITY


def test_a_coroutine_cleans_up_when_its_job_is_cancelled(call: Any, admin: Api) -> None:
    row = f"cleaned-up-{uuid4()}"
    job_id = call("lingering", row)
    admin.wait(job_id, states=("running",))

    admin.post(f"/api/jobs/{job_id}/cancel/")

    told = call("ended", job_id, name=row)
    assert told["status"] == "FAILED"
    assert told["errors"][0][0] == "warren.delivery.django_tasks.errors.JobCancelledError"
