import pytest

from warren.delivery.relay_pace import MEASURED_FOR_S, STREAM_RATE, STREAM_S, TRICKLE_S, Pace


class Clock:
    """Stands still until it is moved."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("rate", "every_s"), [(0, TRICKLE_S), (0.9 * STREAM_RATE, TRICKLE_S), (500, STREAM_S)])
def test_passes_are_further_apart_when_much_comes(rate: float, every_s: float) -> None:
    clock = Clock()
    pace = Pace(clock)

    _move(pace, clock, rate=rate)

    assert pace.every_s == every_s


def test_passes_are_close_again_when_the_stream_ends() -> None:
    clock = Clock()
    pace = Pace(clock)
    _move(pace, clock, rate=500)

    _move(pace, clock, rate=20)

    assert pace.every_s == TRICKLE_S


def test_one_burst_after_a_quiet_time_changes_nothing() -> None:
    clock = Clock()
    pace = Pace(clock)
    clock.now += 60

    pace.note(500)

    assert pace.every_s == TRICKLE_S


def _move(pace: Pace, clock: Clock, *, rate: float) -> None:
    for _ in range(10):
        clock.now += MEASURED_FOR_S / 10 + 0.001
        pace.note(round(rate * MEASURED_FOR_S / 10))
