"""A worker that is told to stop while another of its class works: the other has its long jobs at once, and none is lost."""

from collections.abc import Iterator

import pytest

from tests.stack.api import Api
from tests.stack.stack import Stack

LONG_S = 24  # WORKER_SOFT_SHUTDOWN_S of tests/stack/environment.py is 6
WITHIN_S = 20  # what is counted as a loss waits for ten seconds more


@pytest.fixture(scope="module", params=["cpu", "io"])
def queue(shared_stack: Stack, request: pytest.FixtureRequest) -> Iterator[str]:
    shared_stack.change({})
    with shared_stack.scaled(f"worker-{request.param}", to=2):
        yield request.param


def test_what_a_stopped_worker_hands_over_counts_as_no_loss(stack: Stack, member: Api, queue: str) -> None:
    jobs = [member.submit(f"probe.{queue}.sleep", kwargs={"seconds": LONG_S}) for _ in range(2)]
    before = {job_id: member.wait(job_id, states=("running",))["worker"] for job_id in jobs}
    leaves = before[jobs[0]]
    hers = [job_id for job_id, worker in before.items() if worker == leaves]

    stack.engine("stop", leaves.partition("@")[2])

    for job_id in hers:
        job = member.wait(job_id, within_s=WITHIN_S, states=("running",))
        assert (job["attempt"], job["history"]) == (2, [])
        assert job["worker"] != leaves
    assert [member.wait(job_id, within_s=LONG_S + 10)["state"] for job_id in jobs] == ["succeeded"] * 2
