"""From the first submit to the last stored result, with the workers running."""

import time

from benchmarks.harness import events, progress
from benchmarks.harness.adapter import Adapter

WARM_UP = 50  # connections are open and code is loaded in every process before the clock starts


def measure(adapter: Adapter, *, way: str, count: int) -> None:
    """`way` is `each` or `bulk`."""
    submit = adapter.submit_bulk if way == "bulk" else adapter.submit_each
    submit("echo", numbers=range(WARM_UP), seconds=0)
    progress.until_stored(adapter, WARM_UP)
    numbers = range(WARM_UP, WARM_UP + count)

    events.emit(events.BEGIN)
    started = time.perf_counter()
    submit("echo", numbers=numbers, seconds=0)
    submitted = time.perf_counter()
    stored = progress.until_stored(adapter, numbers.stop)
    ended = time.perf_counter()
    events.emit(
        events.END,
        count=count,
        span_s=ended - started,
        submit_s=submitted - started,
        correct=stored == numbers.stop and adapter.total() == sum(range(numbers.stop)),
    )
