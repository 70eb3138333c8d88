"""How the pages word things."""

from datetime import UTC, datetime, timedelta

import pytest

from warren.dashboard import wording
from warren.delivery.states import State

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "now"), (-5, "5 s ago"), (-61, "1 min ago"), (-7300, "2 h ago"), (-200_000, "2 d ago"), (59.9, "in 59 s")],
)
def test_distance(seconds: float, words: str) -> None:
    assert wording.distance(NOON + timedelta(seconds=seconds), now=NOON) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, "0 ms"), (0.02, "20 ms"), (1.26, "1.3 s"), (59.6, "1 min"), (200, "3 min 20 s"), (90_061, "1 d 1 h")],
)
def test_length(seconds: float, words: str) -> None:
    assert wording.length(timedelta(seconds=seconds)) == words


def test_counts() -> None:
    space = wording.NARROW_SPACE

    assert [wording.capped(each) for each in (7, 1234, 10_000, 10_001)] == [
        "7", f"1{space}234", f"10{space}000", f"10{space}000+",
    ]  # fmt: skip
    assert [wording.jobs(1), wording.jobs(2)] == ["1 job", "2 jobs"]


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_tone(state: State) -> None:
    assert wording.tone(state)
