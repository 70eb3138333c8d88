"""Working off a full queue: from the first result seen to the last, so that starting the workers does not count."""

import time

from benchmarks.harness import events, progress
from benchmarks.harness.adapter import Adapter


def measure(adapter: Adapter, *, kind: str, count: int, seconds: float) -> None:
    """Fills the queue; the tool starts the workers when it hears `filled`."""
    adapter.submit_bulk(kind, numbers=range(count), seconds=seconds)
    progress.until_settled(adapter)
    events.emit(events.FILLED)
    first = progress.until_stored(adapter, 1)
    started = time.perf_counter()
    events.emit(events.FIRST)
    stored = progress.until_stored(adapter, count)
    ended = time.perf_counter()
    events.emit(
        events.END,
        count=count - first,
        span_s=ended - started,
        correct=stored == count and adapter.total() == sum(range(count)),
    )
