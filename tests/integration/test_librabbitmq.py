"""The prefork worker over librabbitmq: it takes and acknowledges, stops cleanly, and outlives its broker."""

import pytest

from tests.integration import batches
from tests.stack import rabbitmq, waiting
from tests.stack.api import Api
from tests.stack.stack import Stack

JOBS = 1000
C_LIBRARY = "rabbitmq-c"  # what librabbitmq calls itself to the broker
KILLED_OR_CRASHED = range(128, 256)  # 128 + a signal's number, as shells count

# with one CPU, so that this and test_pools share one recreation of the worker
pytestmark = pytest.mark.settings(WORKER_CPU_CPUS="1", WORKER_CPU_LIBRABBITMQ="1")


def test_it_takes_and_acknowledges_every_job(stack: Stack) -> None:
    first = batches.submit(stack, "probe.cpu.noop", count=JOBS)

    batches.wait(stack, first, count=JOBS, state="succeeded")

    assert _clients_that_consume(stack, queue="cpu") == {C_LIBRARY}
    waiting.until(lambda: rabbitmq.messages(stack, "cpu") == 0, within_s=10, what="every message is acknowledged")
    assert _restarts(stack) == 0


def test_a_broker_that_restarts_in_the_middle_loses_nothing(stack: Stack) -> None:
    first = batches.submit(stack, "probe.cpu.sleep", count=JOBS, seconds=0.005)
    waiting.until(
        lambda: batches.number_in(stack, first, state="succeeded") > JOBS / 10, within_s=60, what="a tenth is done"
    )

    stack.compose("restart", "rabbitmq")

    batches.wait(stack, first, count=JOBS, state="succeeded")
    waiting.until(lambda: stack.is_healthy("worker-cpu"), within_s=60, what="the worker is healthy")
    waiting.until(lambda: rabbitmq.messages(stack, "cpu") == 0, within_s=10, what="every message is acknowledged")
    assert _restarts(stack) == 0


def test_a_stopped_worker_finishes_what_it_runs_and_does_not_crash(stack: Stack, member: Api) -> None:
    running = member.submit("probe.cpu.sleep", kwargs={"seconds": 2})
    behind = [member.submit("probe.cpu.echo", args=["later"]) for _ in range(20)]
    member.wait(running, states=("running",))

    stack.compose("stop", "worker-cpu")

    ended = stack.container("worker-cpu")
    assert ended.ExitCode not in KILLED_OR_CRASHED
    job = member.job(running)
    assert (job["state"], job["attempt"]) == ("succeeded", 1)
    stack.up("worker-cpu")
    assert {member.wait(job_id)["result"] for job_id in behind} == {"later"}


def _clients_that_consume(stack: Stack, *, queue: str) -> set[str]:
    """The client library behind each consumer of a queue, as it introduced itself to the broker."""
    connections = {each["name"]: each["client_properties"] for each in rabbitmq.ask(stack, "connections")}
    consumers = [each for each in rabbitmq.ask(stack, "consumers/warren") if each["queue"]["name"] == queue]
    return {connections[each["channel_details"]["connection_name"]]["product"] for each in consumers}


def _restarts(stack: Stack) -> int:
    return int(stack.inspect(stack.container("worker-cpu"))["RestartCount"])
