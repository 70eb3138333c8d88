"""kill -9 of beat, the only one there is: at any moment, and in the middle of a tick."""

import pytest

from tests.chaos import ticks
from tests.chaos.faults import points, processes
from tests.chaos.ledger import Ledger
from tests.stack.stack import Stack


def test_it_keeps_the_promise_when_beat_is_killed(ledger: Ledger, stack: Stack) -> None:
    ticks.under(ledger, "beat: kill -9", lambda: processes.kill(stack, "beat"))


@pytest.mark.parametrize("point", [pytest.param("tick-accepted", marks=pytest.mark.ci), "tick-committed"])
def test_a_tick_fires_once_when_beat_dies_in_it(ledger: Ledger, stack: Stack, point: str) -> None:
    ticks.under(ledger, f"beat: dies at {point}", lambda: points.die_at(stack, "beat", point=point))
