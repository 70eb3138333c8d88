"""RabbitMQ is stopped in good order, and started again."""

from tests.chaos.faults import rabbitmq
from tests.chaos.ledger import Ledger
from tests.stack.stack import Stack


def test_it_keeps_the_promise_when_rabbitmq_is_stopped(ledger: Ledger, stack: Stack) -> None:
    ledger.under("RabbitMQ: stopped and started", lambda: rabbitmq.stop(stack))
