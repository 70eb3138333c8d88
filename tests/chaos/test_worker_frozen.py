"""A worker stands still for longer than its lease, as on a starved machine, and then goes on where it was."""

import time

import pytest

from tests.chaos.faults import wires
from tests.chaos.ledger import Ledger
from tests.stack.stack import WORKERS, Stack


@pytest.mark.parametrize("service", WORKERS)
def test_it_keeps_the_promise_when_a_worker_stands_still(ledger: Ledger, stack: Stack, service: str) -> None:
    def freeze() -> None:
        with stack.frozen(service):
            time.sleep(wires.LONGER_THAN_A_LEASE_S)

    ledger.under(f"{service}: frozen", freeze, times=2, each_s=wires.LONGER_THAN_A_LEASE_S)
