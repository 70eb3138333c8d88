"""kill -9 of worker-io, which runs everything in one process."""

from tests.chaos.faults import processes
from tests.chaos.ledger import Ledger
from tests.integration.stack import Stack


def test_it_keeps_the_promise_when_worker_io_is_killed(ledger: Ledger, stack: Stack) -> None:
    verdict = ledger.under("worker-io: kill -9", lambda: processes.kill(stack, "worker-io"), times=5)

    assert verdict.repeated_attempts, "no job was struck"
