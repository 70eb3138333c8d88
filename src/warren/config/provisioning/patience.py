"""Waiting until nothing is missing, or somebody says stop."""

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LOOK_EVERY_S = 2.0

log = logging.getLogger(__name__)


class StoppedError(Exception):
    """What was waited for has not come: a signal, or the time is over. Its words are what is missing."""


def wait_until_nothing_is_missing(
    look: Callable[[], list[str]], *, longest_s: float | None = None, look_every_s: float | None = None
) -> None:
    """Look again and again; says what is missing whenever that changes. Raises `StoppedError`.

    `longest_s` counts the pauses between looks alone.
    """
    every_s = LOOK_EVERY_S if look_every_s is None else look_every_s
    with _told_to_stop() as stop:
        told: list[str] = []
        looks = 0
        while missing := look():
            if missing != told:
                log.warning("waiting: %s", "; ".join(missing))
                told = missing
            looks += 1
            is_over = longest_s is not None and looks * every_s >= longest_s
            if is_over or stop.wait(every_s):
                raise StoppedError("; ".join(missing))


@contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """Set by a signal; afterwards signals do what they did before."""
    stop = threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    for number in before:
        signal.signal(number, lambda *_: stop.set())
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
