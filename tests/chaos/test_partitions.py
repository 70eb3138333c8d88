"""Cut wires, each for longer than a worker's lease: whoever is cut off is alive, works on, and is taken for dead."""

import pytest

from tests.chaos.faults import wires
from tests.chaos.ledger import Ledger
from tests.stack.stack import Stack

SAMPLED = ("worker-cpu", "rabbitmq")


@pytest.mark.parametrize(
    ("service", "off"),
    [pytest.param(*each, marks=pytest.mark.ci if each == SAMPLED else ()) for each in wires.CUTTABLE],
)
def test_it_keeps_the_promise_when_a_wire_is_cut(ledger: Ledger, stack: Stack, service: str, off: str) -> None:
    def cut() -> None:
        wires.cut(stack, service, off=off)

    ledger.under(f"{service}: cut off from {off}", cut, times=2, each_s=wires.LONGER_THAN_A_LEASE_S)
