"""Waiting until nothing is missing, or somebody says stop."""

import logging
import signal
import threading
from collections.abc import Callable

LOOK_EVERY_S = 2.0

log = logging.getLogger(__name__)


class StoppedError(Exception):
    """What was waited for has not come: a signal, or the time is over. Its words are what is missing."""


def wait_until_nothing_is_missing(look: Callable[[], list[str]], *, longest_s: float | None = None) -> None:
    """Look again and again; says what is missing whenever that changes. Raises `StoppedError`."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    told: list[str] = []
    looks = 0
    while missing := look():
        if missing != told:
            log.warning("waiting: %s", "; ".join(missing))
            told = missing
        looks += 1
        is_over = longest_s is not None and looks * LOOK_EVERY_S >= longest_s
        if is_over or stop.wait(LOOK_EVERY_S):
            raise StoppedError("; ".join(missing))
