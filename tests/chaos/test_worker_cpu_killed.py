"""kill -9 of worker-cpu's main process."""

import pytest

from tests.chaos import struck
from tests.chaos.faults import processes
from tests.chaos.ledger import Ledger
from tests.stack.stack import Stack


@pytest.mark.ci
def test_it_keeps_the_promise_when_worker_cpu_is_killed(ledger: Ledger, stack: Stack) -> None:
    struck.in_a_task(ledger, "worker-cpu: kill -9", lambda: processes.kill(stack, "worker-cpu"), queue="cpu", times=5)
