"""kill -9 of worker-cpu's main process."""

import pytest

from tests.chaos.faults import processes
from tests.chaos.ledger import Ledger
from tests.integration.stack import Stack


@pytest.mark.ci
def test_it_keeps_the_promise_when_worker_cpu_is_killed(ledger: Ledger, stack: Stack) -> None:
    verdict = ledger.under("worker-cpu: kill -9", lambda: processes.kill(stack, "worker-cpu"), times=5)

    assert verdict.repeated_attempts, "no job was struck"
