"""Every pool that WORKER_CPU_POOL and WORKER_IO_POOL offer runs the guide's tasks."""

import pytest

from tests.integration import pools, workers
from tests.stack.api import Api
from tests.stack.stack import Stack

# how each pool names itself in `inspect stats`
POOLS = {
    "prefork": "warren.delivery.batching.pool:BatchingPool",
    "gevent": "warren.delivery.batching.gevent:GeventPool",
    "threads": "celery.concurrency.thread:TaskPool",
    "solo": "celery.concurrency.solo:TaskPool",
    "eventlet": "warren.delivery.batching.eventlet:EventletPool",
}


@pytest.mark.parametrize(
    ("cpu", "io"),
    [
        pytest.param("prefork", "gevent"),
        pytest.param("threads", "eventlet", marks=pytest.mark.settings(**pools.THREADS_AND_EVENTLET)),
        pytest.param("solo", "threads", marks=pytest.mark.settings(**pools.SOLO_AND_THREADS)),
    ],
)
def test_the_guides_tasks_succeed_in_this_pool(stack: Stack, member: Api, cpu: str, io: str) -> None:
    added = [member.post("/api/add-numbers/", {"num1": number, "num2": 1}).json()["task_id"] for number in range(20)]
    slept = [member.submit("probe.io.sleep", kwargs={"seconds": 0.1}) for _ in range(20)]
    failed = [member.submit(f"probe.{queue}.fail", kwargs={"message": "no luck"}) for queue in ("cpu", "io")]

    results = [member.result(task_id)["result"] for task_id in added]
    states = {member.wait(job_id)["state"] for job_id in slept}
    failures = {member.wait(job_id)["state"] for job_id in failed}

    assert results == [number + 1 for number in range(20)]
    assert (states, failures) == ({"succeeded"}, {"failed"})
    told = workers.stats(stack)
    assert {name: told[name]["pool"]["implementation"] for name in told} == {"cpu": POOLS[cpu], "io": POOLS[io]}


# over librabbitmq, so that this and test_librabbitmq share one recreation of the worker
@pytest.mark.settings(WORKER_CPU_CPUS="1", WORKER_CPU_LIBRABBITMQ="1")
def test_prefork_runs_as_many_processes_as_the_container_has_cpus(stack: Stack) -> None:
    pool = workers.stats(stack)["cpu"]["pool"]

    assert (pool["implementation"], pool["max-concurrency"], len(pool["processes"])) == (POOLS["prefork"], 1, 1)
