"""kill -9 of the relay: at any moment, and in the one between RabbitMQ's confirm and the deletion of the rows."""

import pytest

from tests.chaos.faults import points, processes
from tests.chaos.ledger import Ledger
from tests.stack.stack import Stack


def test_it_keeps_the_promise_when_the_relay_is_killed(ledger: Ledger, stack: Stack) -> None:
    ledger.under("relay: kill -9", lambda: processes.kill(stack, "relay"), times=5)


@pytest.mark.ci
def test_it_keeps_the_promise_when_the_relay_dies_between_confirm_and_delete(ledger: Ledger, stack: Stack) -> None:
    ledger.under("relay: dies after the confirm", lambda: points.die_at(stack, "relay", point="relay-confirmed"))
