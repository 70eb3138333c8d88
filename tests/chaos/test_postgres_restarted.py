"""Postgres is restarted, as an upgrade does it."""

import pytest

from tests.chaos.ledger import Ledger
from tests.stack.stack import Stack


@pytest.mark.ci
def test_it_keeps_the_promise_when_postgres_is_restarted(ledger: Ledger, stack: Stack) -> None:
    def restart() -> None:
        stack.compose("restart", "postgres")

    ledger.under("Postgres: restart", restart)
