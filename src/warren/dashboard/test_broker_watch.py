"""How the broker stands, without waiting for it."""

import threading
import time
from collections.abc import Callable

import pytest

from warren.dashboard import broker_watch
from warren.dashboard.broker_watch import Broker, BrokerWatch
from warren.health.inspector import Look

FINE = Look(waiting=0, unconsumed=None)


def _soon(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not look():
        assert time.monotonic() < deadline, "it did not come true within 10 s"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        (FINE, Broker(state="fine")),
        (Look(waiting=3, unconsumed="io"), Broker(state="unconsumed", queue="io")),
        (None, Broker(state="away")),
    ],
)
def test_it_tells_what_it_saw(look: Look | None, expected: Broker) -> None:
    watch = BrokerWatch(lambda: look)

    first = watch.state()

    assert first == Broker(state="unknown")
    _soon(lambda: watch.state() == expected)


def test_nobody_waits_and_one_looks_at_a_time() -> None:
    answered, looks = threading.Event(), []

    def look() -> Look:
        looks.append(1)
        answered.wait(10)
        return FINE

    watch = BrokerWatch(look)
    started = time.monotonic()
    seen = [watch.state() for _ in range(5)]

    assert time.monotonic() - started < 5
    assert {each.state for each in seen} == {"unknown"}
    assert len(looks) <= 1
    answered.set()
    _soon(lambda: watch.state().state == "fine")
    assert len(looks) == 1


def test_it_looks_again_when_that_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_watch, "LOOK_EVERY_S", 0.0)
    answers = iter([FINE, None])
    watch = BrokerWatch(lambda: next(answers, None))

    watch.state()
    _soon(lambda: watch.state().state == "away")


def test_a_real_broker_without_our_queues_answers() -> None:
    assert broker_watch._judged(broker_watch._ask()).state == "unconsumed"
