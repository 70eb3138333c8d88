"""kill -9 of beat: at any moment, in the middle of a tick, and of the one that leads where there are two."""

from collections.abc import Callable, Iterator
from itertools import cycle

import pytest

from tests.chaos import settling, ticks
from tests.chaos.faults import points, processes
from tests.chaos.ledger import Ledger
from tests.integration.stack import Stack

EVERY_S = 2.0  # tests/chaos/app/schedule.py
FAILOVER_S = 15.0


@pytest.fixture
def _two_beats(stack: Stack) -> Iterator[None]:
    stack.up("beat", options=("--scale", "beat=2"))
    yield
    stack.up("beat", options=("--scale", "beat=1"))


def test_it_keeps_the_promise_when_beat_is_killed(ledger: Ledger, stack: Stack) -> None:
    _check_ticks(ledger, "beat: kill -9", lambda: processes.kill(stack, "beat"))


@pytest.mark.ci
@pytest.mark.parametrize("point", ["tick-accepted", "tick-committed"])
def test_a_tick_fires_once_when_beat_dies_in_it(ledger: Ledger, stack: Stack, point: str) -> None:
    _check_ticks(ledger, f"beat: dies at {point}", lambda: points.die_at(stack, "beat", point=point))


@pytest.mark.usefixtures("_two_beats")
def test_a_tick_fires_once_with_two_beats_and_goes_on_when_either_is_killed(ledger: Ledger, stack: Stack) -> None:
    beats = cycle(stack.containers(of="beat"))
    _check_ticks(ledger, "two beats: kill -9 by turns", lambda: processes.kill_container(stack, next(beats)))


def _check_ticks(ledger: Ledger, fault: str, strike: Callable[[], None]) -> None:
    since = settling.now(ledger.stack)

    ledger.under(fault, strike, times=4)

    seen = ticks.of(ledger.stack, since=since)
    assert seen.unmatched == 0, seen
    assert seen.longest_gap_s < EVERY_S + FAILOVER_S, seen
    assert seen.shortest_gap_s > EVERY_S / 2, seen
