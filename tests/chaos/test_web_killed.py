"""kill -9 of web's main process, and with it of all that serve."""

import pytest

from tests.chaos.faults import processes
from tests.chaos.ledger import Ledger
from tests.stack.stack import Stack


@pytest.mark.ci
def test_it_keeps_the_promise_when_web_is_killed(ledger: Ledger, stack: Stack) -> None:
    ledger.under("web: kill -9", lambda: processes.kill(stack, "web"))
