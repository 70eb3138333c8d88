"""RabbitMQ is restarted, as an upgrade does it."""

from tests.chaos.faults import rabbitmq
from tests.chaos.ledger import Ledger
from tests.stack.stack import Stack


def test_it_keeps_the_promise_when_rabbitmq_is_restarted(ledger: Ledger, stack: Stack) -> None:
    ledger.under("RabbitMQ: restart", lambda: rabbitmq.restart(stack))
