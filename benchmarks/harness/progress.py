"""Waiting for results without disturbing what is measured."""

import time

from benchmarks.harness.adapter import Adapter

STALLED_AFTER_S = 90.0
SHORTEST_PAUSE_S = 0.01
LONGEST_PAUSE_S = 2.0


class StalledError(Exception):
    """No result was stored for so long that none will be."""


def until_stored(adapter: Adapter, wanted: int) -> int:
    """Wait until at least this many results are stored; returns how many are.

    Counting costs the database some work, so it is done rarely: the next look is when half of what is missing should
    be there at the pace so far, which makes the last looks short.
    """
    began = moved = time.perf_counter()
    first = seen = adapter.stored()
    while seen < wanted:
        now = time.perf_counter()
        pace = (seen - first) / max(now - began, 1e-6)
        pause = (wanted - seen) / pace / 2 if pace else SHORTEST_PAUSE_S
        time.sleep(min(max(pause, SHORTEST_PAUSE_S), LONGEST_PAUSE_S))
        before, seen = seen, adapter.stored()
        if seen > before:
            moved = time.perf_counter()
        elif time.perf_counter() - moved > STALLED_AFTER_S:
            raise StalledError(f"{seen} of {wanted} results were stored, and no more for {STALLED_AFTER_S} s")
    return seen


def until_settled(adapter: Adapter) -> None:
    """Wait until everything submitted is where workers take it from."""
    deadline = time.monotonic() + STALLED_AFTER_S
    while not adapter.settled():
        if time.monotonic() > deadline:
            raise StalledError(f"what was submitted did not reach the queue within {STALLED_AFTER_S} s")
        time.sleep(SHORTEST_PAUSE_S)
