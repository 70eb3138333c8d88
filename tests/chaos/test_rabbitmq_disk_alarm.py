"""RabbitMQ's disk alarm: it takes nothing from publishers."""

from tests.chaos.faults import rabbitmq
from tests.chaos.ledger import Ledger
from tests.stack.stack import Stack


def test_it_keeps_the_promise_when_rabbitmq_is_short_of_disk(ledger: Ledger, stack: Stack) -> None:
    ledger.under("RabbitMQ: disk alarm", lambda: rabbitmq.disk_alarm(stack), each_s=25)
