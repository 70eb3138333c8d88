"""`docker compose up --scale worker-cpu=3`: more workers of a class share its queue."""

from collections.abc import Iterator

import pytest

from tests.stack.api import Api
from tests.stack.stack import Stack


@pytest.fixture
def _three_workers(stack: Stack) -> Iterator[None]:
    with stack.scaled("worker-cpu", to=3):
        yield


@pytest.mark.usefixtures("_three_workers")
def test_three_workers_share_the_work(stack: Stack, member: Api) -> None:
    ids = [member.submit("probe.cpu.sleep", kwargs={"seconds": 0.3}) for _ in range(60)]

    jobs = [member.wait(job_id, within_s=60) for job_id in ids]

    assert {job["state"] for job in jobs} == {"succeeded"}
    hosts = {str(stack.inspect(each)["Config"]["Hostname"]) for each in stack.containers(of="worker-cpu")}
    assert len(hosts) == 3
    assert {job["worker"] for job in jobs} == {f"worker-cpu@{host}" for host in hosts}
