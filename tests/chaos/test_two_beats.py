"""Two beats: only one fires, and when it dies, freezes or is cut off, the other takes over."""

from collections.abc import Callable, Iterator

import pytest
from testcontainers.compose import ComposeContainer

from tests.chaos import ticks
from tests.chaos.faults import processes, wires
from tests.chaos.ledger import Ledger
from tests.stack import postgres
from tests.stack.stack import Stack

FAILOVER_S = 15.0
AWAY_S = 25.0  # longer than a failover, so that two would lead if two could

Strike = Callable[[Stack, ComposeContainer], None]


def _kill(stack: Stack, leader: ComposeContainer) -> None:
    processes.kill_container(stack, leader)


def _freeze(stack: Stack, leader: ComposeContainer) -> None:
    processes.freeze(stack, leader, for_s=AWAY_S)


def _cut_off(stack: Stack, leader: ComposeContainer) -> None:
    wires.cut_container(stack, leader, off="postgres", for_s=AWAY_S)


@pytest.fixture
def _two_beats(stack: Stack) -> Iterator[None]:
    stack.up("beat", options=("--scale", "beat=2"))
    yield
    stack.up("beat", options=("--scale", "beat=1"))


@pytest.mark.usefixtures("_two_beats")
@pytest.mark.parametrize(
    ("what", "strike", "each_s"),
    [("killed", _kill, 10), ("frozen", _freeze, AWAY_S), ("cut off from postgres", _cut_off, AWAY_S)],
)
def test_a_tick_fires_once_and_the_schedule_goes_on(
    ledger: Ledger, stack: Stack, what: str, strike: Strike, each_s: float
) -> None:
    seen = ticks.under(ledger, f"leading beat: {what}", lambda: strike(stack, _leader(stack)), each_s=each_s)

    assert seen.longest_gap_s < ticks.EVERY_S + FAILOVER_S, seen


def _leader(stack: Stack) -> ComposeContainer:
    ((name,),) = postgres.ask(stack, "SELECT name FROM warren_schedule_leader")
    (leader,) = [each for each in stack.containers(of="beat") if stack.inspect(each)["Config"]["Hostname"] == name]
    return leader
