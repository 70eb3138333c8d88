"""Clocks that are an hour off: ahead in worker-cpu and the relay, behind in worker-io and beat."""

import pytest

from tests.chaos import settling, ticks
from tests.chaos.faults import processes
from tests.chaos.ledger import Ledger
from tests.stack import postgres
from tests.stack.stack import Stack

SERVICES = ("worker-cpu", "worker-io", "relay", "beat")
HOUR_S = 3600

pytestmark = pytest.mark.overlays("tests/chaos/clock.yaml")


def test_it_keeps_the_promise_when_clocks_are_an_hour_off(ledger: Ledger, stack: Stack) -> None:
    true = postgres.number(stack, "SELECT extract(epoch FROM now())")
    off = {service: float(stack.execute(service, "date", "+%s")) - true for service in SERVICES}
    assert {round(each / HOUR_S) for each in off.values()} == {1, -1}, off
    since = settling.now(stack)

    ledger.under("clocks: an hour off, workers killed", lambda: processes.kill(stack, "worker-cpu"))

    assert ticks.of(stack, since=since).count > 0
