"""Waiting for what must become true, with a deadline; never for a time and a hope."""

import time
from collections.abc import Callable

PAUSE_S = 0.1


def until[T](look: Callable[[], T | None], *, within_s: float, what: str) -> T:
    """The first true value that `look` gives. Raises `AssertionError`, with the last value, if none came in time."""
    deadline = time.monotonic() + within_s
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what}; the last look gave {seen!r}")
        time.sleep(PAUSE_S)
    return seen
