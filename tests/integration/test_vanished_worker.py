"""A worker's machine is gone without a word: RabbitMQ counts on it no more, although nobody sends heartbeats."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.stack import api, rabbitmq, waiting
from tests.stack.stack import Stack

NOTICED_WITHIN_S = 25  # eleven, says advanced.config, and five until a quorum queue has counted
JOBS = 10


def test_the_broker_gives_up_a_worker_that_vanished(stack: Stack) -> None:
    somebody = api.register(stack.web_url)
    with _away_without_a_word(stack, "worker-cpu"):
        waiting.until(
            lambda: rabbitmq.consumers(stack, "cpu") == 0, within_s=NOTICED_WITHIN_S, what="the worker is given up"
        )
        jobs = [somebody.submit("probe.cpu.echo", args=["for the next"]) for _ in range(JOBS)]
    assert {somebody.wait(job_id, states=("succeeded",))["result"] for job_id in jobs} == {"for the next"}


@contextmanager
def _away_without_a_word(stack: Stack, service: str) -> Iterator[None]:
    """Take a container's wires away; afterwards the service is started anew."""
    container = stack.container(service)
    for network in stack.inspect(container)["NetworkSettings"]["Networks"]:
        stack.engine("network", "disconnect", "--force", network, str(container.ID))
    try:
        yield
    finally:
        stack.up(service, options=("--force-recreate",))
