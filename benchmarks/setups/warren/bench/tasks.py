"""The benchmark's three kinds of work."""

import time

from celery import shared_task


@shared_task(queue="cpu")
def echo(number: int) -> int:
    """Do nothing."""
    return number


@shared_task(queue="io")
def wait(number: int, seconds: float) -> int:
    """Wait, as for a network."""
    time.sleep(seconds)
    return number


@shared_task(queue="cpu")
def spin(number: int, seconds: float) -> int:
    """Burn this much CPU time."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass
    return number
