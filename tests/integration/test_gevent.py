"""The gevent worker: as fast as it should be, and within its share of Postgres connections."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration import batches, workers
from tests.stack import django_code, postgres
from tests.stack.stack import Stack

JOBS = 2000
GREENLETS = 200
POOL_SIZE = 5


# in turn a task that asks Postgres and three that do nothing
_MIXED = f"""
from celery import current_app
from warren.delivery import outbox
asks, rests = (current_app.tasks[f"probe.io.{{name}}"] for name in ("query", "noop"))
with outbox.together():
    made = [rests.delay() if number % 4 else asks.delay(0) for number in range({JOBS})]
answer = made[0].id
"""


# those of the pool; the worker's lease has one of its own
_CONNECTIONS = """
SELECT count(*) FROM pg_stat_activity WHERE client_addr = :'address' AND application_name <> 'warren-lease'
"""


# prefork grows with the cores, greenlets have one; so it is a process against a process
@pytest.mark.settings(WORKER_CPU_CONCURRENCY="1")
def test_it_drains_a_queue_at_a_quarter_of_a_prefork_process_rate_or_more(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    """By Celery's defaults it is a hundredth. Prefork's short jobs travel by the batch, which greenlets' cannot."""
    rates = {worker: _rate(stack, worker=worker) for worker in ("cpu", "io")}

    with capsys.disabled():
        sys.stdout.write(f" [no-op tasks a second: {rates}] ")  # the README's figures
    assert rates["io"] >= rates["cpu"] / 4, rates


@pytest.mark.settings(WORKER_IO_CONCURRENCY=str(GREENLETS), WORKER_IO_DB_POOL_SIZE=str(POOL_SIZE))
def test_200_greenlets_share_the_configured_number_of_connections(stack: Stack) -> None:
    with _connections(stack, worker="worker-io") as seen:
        first = batches.submit(stack, "probe.io.query", count=GREENLETS, seconds=3)
        batches.wait(stack, first, count=GREENLETS, state="succeeded")

    together = batches.most_at_once(stack, first)
    assert together > GREENLETS / 2, "the tasks did not run together, so nothing was tried"
    assert 0 < max(seen) <= POOL_SIZE, seen


@pytest.mark.settings(WORKER_IO_CONCURRENCY=str(GREENLETS), WORKER_IO_DB_POOL_SIZE=str(POOL_SIZE))
def test_tasks_that_ask_postgres_do_not_wait_for_tasks_that_do_not(stack: Stack) -> None:
    """Outcomes are stored together by one of those who finish; it may be one that has no connection yet."""
    with workers.not_consuming(stack, worker="io"):
        first = django_code.run(stack, _MIXED)

    batches.wait(stack, first, count=JOBS, state="succeeded")


def _rate(stack: Stack, *, worker: str) -> float:
    """Tasks a second, from the first start to the last finish, of no-ops that all wait in the broker beforehand."""
    with workers.not_consuming(stack, worker=worker):
        first = batches.submit(stack, f"probe.{worker}.noop", count=JOBS)
        batches.wait(stack, first, count=JOBS, state="queued")
    batches.wait(stack, first, count=JOBS, state="succeeded")
    return round(JOBS / batches.span_s(stack, first))


@contextmanager
def _connections(stack: Stack, *, worker: str) -> Iterator[list[int]]:
    """Inside the block, counts the worker's connections to Postgres over and over, into the list."""
    address = next(
        network["IPAddress"]
        for name, network in stack.inspect(stack.container(worker))["NetworkSettings"]["Networks"].items()
        if name.endswith("_back")
    )
    seen: list[int] = []
    done = threading.Event()

    def sample() -> None:
        while not done.is_set():
            seen.append(int(postgres.number(stack, _CONNECTIONS, address=address)))

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield seen
    finally:
        done.set()
        sampler.join()
