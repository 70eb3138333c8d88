"""The gevent worker: as fast as it should be, and within its share of Postgres connections."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration import django_code, postgres, waiting, workers
from tests.integration.stack import Stack

JOBS = 2000
GREENLETS = 200
POOL_SIZE = 5


def test_it_drains_a_queue_at_half_the_prefork_workers_rate_or_more(stack: Stack) -> None:
    rates = {worker: _rate(stack, worker=worker) for worker in ("cpu", "io")}

    print(f"tasks a second: {rates}")  # noqa: T201  figures to publish
    assert rates["io"] >= rates["cpu"] / 2, rates


@pytest.mark.settings(WORKER_IO_CONCURRENCY=str(GREENLETS), WORKER_IO_DB_POOL_SIZE=str(POOL_SIZE))
def test_200_greenlets_share_the_configured_number_of_connections(stack: Stack) -> None:
    with _most_connections(stack, worker="worker-io") as seen:
        batch = _submit(stack, "probe.io.query", count=GREENLETS, seconds=3)
        assert _most_at_once(stack, batch) > GREENLETS / 2, "the tasks did not run together, so nothing was tried"

    assert 0 < max(seen) <= POOL_SIZE, seen


def _rate(stack: Stack, *, worker: str) -> float:
    """Tasks a second, from the first start to the last finish, of no-ops that all wait in the broker beforehand."""
    with workers.not_consuming(stack, worker=worker):
        batch = _submit(stack, f"probe.{worker}.noop", count=JOBS)
        _wait_for(stack, batch, count=JOBS, state="queued")
    _wait_for(stack, batch, count=JOBS, state="succeeded")
    span = f"SELECT extract(epoch FROM max(finished_at) - min(started_at)) FROM warren_job WHERE {batch}"
    return JOBS / postgres.number(stack, span)


def _submit(stack: Stack, task: str, *, count: int, **kwargs: float) -> str:
    """Accept the jobs in one transaction; returns SQL's condition for them, which is that they share its time."""
    options = "".join(f", {name}={value}" for name, value in kwargs.items())
    code = f"from apps.probe import by_code\nanswer = by_code.many({task!r}, count={count}{options})[0]"
    first = django_code.run(stack, code)
    return f"created_at = (SELECT created_at FROM warren_job WHERE id = '{first}')"


def _wait_for(stack: Stack, batch: str, *, count: int, state: str) -> None:
    counting = f"SELECT count(*) FROM warren_job WHERE state = '{state}' AND {batch}"
    waiting.until(lambda: postgres.number(stack, counting) == count, within_s=180, what=f"{count} jobs are {state}")


def _most_at_once(stack: Stack, batch: str) -> float:
    """How many of these jobs ran at the same moment, at most; waits until all have finished."""
    _wait_for(stack, batch, count=GREENLETS, state="succeeded")
    return postgres.number(
        stack,
        f"WITH batch AS (SELECT * FROM warren_job WHERE {batch}) "
        "SELECT max(together) FROM (SELECT count(*) AS together FROM batch a JOIN batch b "
        "ON b.started_at <= a.started_at AND b.finished_at > a.started_at GROUP BY a.id) counted",
    )


@contextmanager
def _most_connections(stack: Stack, *, worker: str) -> Iterator[list[int]]:
    """Inside the block, counts the worker's connections to Postgres over and over, into the list."""
    address = next(
        network["IPAddress"]
        for name, network in stack.inspect(stack.container(worker))["NetworkSettings"]["Networks"].items()
        if name.endswith("_back")
    )
    counting = f"SELECT count(*) FROM pg_stat_activity WHERE client_addr = '{address}'"
    seen: list[int] = []
    done = threading.Event()

    def sample() -> None:
        while not done.is_set():
            seen.append(int(postgres.number(stack, counting)))

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield seen
    finally:
        done.set()
        sampler.join()
