"""The three kinds of work, as plain functions that each set-up makes tasks of."""

import time


def echo(number: int) -> int:
    """Do nothing."""
    return number


def wait(number: int, seconds: float) -> int:
    """Wait, as for a network."""
    time.sleep(seconds)
    return number


def spin(number: int, seconds: float) -> int:
    """Burn this much CPU time."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass
    return number
