"""Jobs cancelled while they run: what each pool promises, it keeps."""

import pytest

from tests.integration import pools, workers
from tests.stack import waiting
from tests.stack.api import Api
from tests.stack.stack import Stack

LONG_S = 300
WITHIN_S = 10


def _started(api: Api, task: str) -> str:
    job_id = api.submit(task, kwargs={"seconds": LONG_S})
    api.wait(job_id, states=("running",))
    return job_id


def _wait_until_it_stopped(stack: Stack, job_id: str) -> None:
    waiting.until(lambda: job_id not in workers.active(stack), within_s=WITHIN_S, what=f"nobody runs {job_id}")


@pytest.mark.parametrize(
    ("task", "stops"),
    [
        pytest.param("probe.cpu.sleep", "now", id="prefork"),
        pytest.param("probe.io.sleep", "now", id="gevent"),
        pytest.param("probe.io.sleep", "now", id="eventlet", marks=pytest.mark.settings(**pools.THREADS_AND_EVENTLET)),
        pytest.param(
            "probe.cpu.wait_until_cancelled",
            "at_next_check",
            id="threads",
            marks=pytest.mark.settings(**pools.THREADS_AND_EVENTLET),
        ),
    ],
)
def test_a_running_job_stops_as_the_answer_says(stack: Stack, member: Api, task: str, stops: str) -> None:
    job_id = _started(member, task)
    assert job_id in workers.active(stack)

    told = member.post(f"/api/jobs/{job_id}/cancel/", {"reason": "no longer wanted"}).json()

    assert (told["state"], told["stops"]) == ("cancelled", stops)
    _wait_until_it_stopped(stack, job_id)
    job = member.job(job_id)
    assert (job["state"], [event["kind"] for event in job["history"]]) == ("cancelled", ["cancelled"])
    assert stack.is_healthy(f"worker-{job['queue']}")


@pytest.mark.parametrize("task", ["probe.cpu.sleep", "probe.io.sleep"])
def test_a_job_that_was_cancelled_while_it_ran_can_run_again(stack: Stack, member: Api, task: str) -> None:
    job_id = member.submit(task, kwargs={"seconds": 15})
    member.wait(job_id, states=("running",))
    member.post(f"/api/jobs/{job_id}/cancel/")
    _wait_until_it_stopped(stack, job_id)

    member.post(f"/api/jobs/{job_id}/retry/")

    job = member.wait(job_id, within_s=60)
    assert (job["state"], job["attempt"]) == ("succeeded", 2)


def test_many_are_cancelled_at_once(stack: Stack, member: Api) -> None:
    running = _started(member, "probe.io.sleep")
    waits = member.submit("probe.cpu.noop", countdown=600)

    answer = member.post("/api/jobs/cancel/", {"ids": [running, waits]}).json()

    assert (answer["cancelled"], answer["stops"]) == (2, {running: "now", waits: "never_started"})
    _wait_until_it_stopped(stack, running)
