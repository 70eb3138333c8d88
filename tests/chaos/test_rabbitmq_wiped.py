"""RabbitMQ loses its volume: no messages, no queues, no users."""

import pytest

from tests.chaos.faults import rabbitmq
from tests.chaos.ledger import Ledger
from tests.stack.stack import Stack


@pytest.mark.ci
def test_it_keeps_the_promise_when_rabbitmq_is_wiped(ledger: Ledger, stack: Stack) -> None:
    ledger.under("RabbitMQ: volume wiped", lambda: rabbitmq.wipe(stack), times=2, each_s=25)
