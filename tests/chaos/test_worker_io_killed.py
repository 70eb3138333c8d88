"""kill -9 of worker-io, which runs everything in one process: at any moment, and between commit and ack."""

from tests.chaos import struck
from tests.chaos.faults import points, processes
from tests.chaos.ledger import Ledger
from tests.stack.stack import Stack


def test_it_keeps_the_promise_when_worker_io_is_killed(ledger: Ledger, stack: Stack) -> None:
    struck.in_a_task(ledger, "worker-io: kill -9", lambda: processes.kill(stack, "worker-io"), queue="io", times=5)


def test_it_keeps_the_promise_when_worker_io_dies_between_commit_and_ack(ledger: Ledger, stack: Stack) -> None:
    ledger.under(
        "worker-io: dies after the commit", lambda: points.die_at(stack, "worker-io", point="job-finished"), times=5
    )
