"""A worker is told to stop while another of its class works: that one has its long jobs at once, and none is lost."""

from collections.abc import Iterator

import pytest

from tests.stack import waiting
from tests.stack.api import Api
from tests.stack.stack import Stack

LONG_S = 120  # it is cancelled long before, and WORKER_SOFT_SHUTDOWN_S of tests/stack/environment.py is 6
WITHIN_S = 20  # far less than it takes until somebody misses a message that was answered


@pytest.fixture(scope="module", params=["cpu", "io"])
def queue(shared_stack: Stack, request: pytest.FixtureRequest) -> Iterator[str]:
    shared_stack.change({})
    with shared_stack.scaled(f"worker-{request.param}", to=2):
        yield request.param


# the second one ends as soon as it finds that its attempt is over, which is before its worker has gone
@pytest.mark.parametrize("task", ["sleep", "wait_until_cancelled"])
def test_what_a_stopped_worker_hands_over_counts_as_no_loss(stack: Stack, member: Api, queue: str, task: str) -> None:
    job_id = member.submit(f"probe.{queue}.{task}", kwargs={"seconds": LONG_S})
    worker = member.wait(job_id, states=("running",))["worker"]
    container = worker.partition("@")[2]

    stack.engine("stop", container)

    waiting.until(lambda: member.job(job_id)["attempt"] == 2, within_s=WITHIN_S, what="the other one has it")
    job = member.job(job_id)
    assert (job["state"], job["history"]) == ("running", [])
    assert job["worker"] != worker
    member.post(f"/api/jobs/{job_id}/cancel/")
    stack.scale(f"worker-{queue}", to=2)  # for the next
