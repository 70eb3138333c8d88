"""kill -9 of beat: at any moment, in the middle of a tick, and of the one that leads where there are two."""

from collections.abc import Callable, Iterator
from itertools import cycle

import pytest

from tests.chaos import settling, ticks
from tests.chaos.faults import points, processes
from tests.chaos.ledger import Ledger
from tests.chaos.ticks import Ticks
from tests.integration import waiting
from tests.integration.stack import Stack

EVERY_S = 2.0  # tests/chaos/app/schedule.py
FAILOVER_S = 15.0
NEXT_TICK_WITHIN_S = 60  # of a beat that must start first


@pytest.fixture
def _two_beats(stack: Stack) -> Iterator[None]:
    stack.up("beat", options=("--scale", "beat=2"))
    yield
    stack.up("beat", options=("--scale", "beat=1"))


def test_it_keeps_the_promise_when_beat_is_killed(ledger: Ledger, stack: Stack) -> None:
    _ticks_under(ledger, "beat: kill -9", lambda: processes.kill(stack, "beat"))


@pytest.mark.ci
@pytest.mark.parametrize("point", ["tick-accepted", "tick-committed"])
def test_a_tick_fires_once_when_beat_dies_in_it(ledger: Ledger, stack: Stack, point: str) -> None:
    _ticks_under(ledger, f"beat: dies at {point}", lambda: points.die_at(stack, "beat", point=point))


@pytest.mark.usefixtures("_two_beats")
def test_a_tick_fires_once_with_two_beats_and_goes_on_when_either_is_killed(ledger: Ledger, stack: Stack) -> None:
    beats = cycle(stack.containers(of="beat"))

    seen = _ticks_under(ledger, "two beats: kill -9 by turns", lambda: processes.kill_container(stack, next(beats)))

    assert seen.longest_gap_s < EVERY_S + FAILOVER_S, seen


def _ticks_under(ledger: Ledger, fault: str, strike: Callable[[], None]) -> Ticks:
    """The ticks of a run, in which each strike is over when the schedule goes on."""
    since = settling.now(ledger.stack)

    def strike_and_wait() -> None:
        strike()
        before = ticks.of(ledger.stack, since=since).count
        waiting.until(
            lambda: ticks.of(ledger.stack, since=since).count > before,
            within_s=NEXT_TICK_WITHIN_S,
            what="the schedule goes on",
        )

    ledger.under(fault, strike_and_wait, times=4)

    seen = ticks.of(ledger.stack, since=since)
    assert seen.unmatched == 0, seen
    assert seen.shortest_gap_s > EVERY_S / 2, seen
    return seen
