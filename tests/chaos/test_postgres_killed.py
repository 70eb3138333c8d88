"""kill -9 of Postgres' first process."""

from tests.chaos.faults import processes
from tests.chaos.ledger import Ledger
from tests.stack.stack import Stack


def test_it_keeps_the_promise_when_postgres_is_killed(ledger: Ledger, stack: Stack) -> None:
    ledger.under("Postgres: kill -9", lambda: processes.kill(stack, "postgres"))
