"""SIGTERM to everything, one service after the other, as a deployment does it."""

from tests.chaos.ledger import Ledger
from tests.stack.stack import Stack

IN_ORDER = ("worker-cpu", "worker-io", "relay", "beat", "web", "rabbitmq", "postgres")


def test_it_keeps_the_promise_when_everything_is_restarted_in_turn(ledger: Ledger, stack: Stack) -> None:
    def restart_all() -> None:
        for service in IN_ORDER:
            stack.compose("restart", service)

    ledger.under("everything: SIGTERM in turn", restart_all, times=2, each_s=60)
