"""kill -9 of RabbitMQ."""

from tests.chaos.faults import rabbitmq
from tests.chaos.ledger import Ledger
from tests.stack.stack import Stack


def test_it_keeps_the_promise_when_rabbitmq_is_killed(ledger: Ledger, stack: Stack) -> None:
    ledger.under("RabbitMQ: kill -9", lambda: rabbitmq.kill(stack))
