"""Adds many observations to a histogram at once.

prometheus_client's own `observe` takes a lock and writes two values for each. Under load jobs come by the batch, so
they are counted in plain Python first: a batch of 64 costs little more than one job.

Owner: any thread; the lock guards what is not flushed yet.
"""

import threading
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from prometheus_client import Histogram


@dataclass
class _Sum:
    """What one series is to be increased by."""

    seconds: float = 0.0
    buckets: dict[int, int] = field(default_factory=dict)


class Tally:
    """Observations of one histogram, by the raw values of its labels; `bound` makes of these what is kept."""

    def __init__(self, histogram: Histogram, *, bound: Callable[..., tuple[str, ...]]) -> None:
        self._bounds: list[float] = histogram._upper_bounds  # noqa: SLF001  the client tells them to nobody
        self._bound = bound
        # the label values are bounded, and so is what is remembered
        self._series = cache(histogram.labels)
        self._lock = threading.Lock()
        self._sums: dict[tuple[str, ...], _Sum] = {}

    def note(self, *values: str, seconds: float) -> None:
        """One observation; it is seen after the next `flush`."""
        place = bisect_left(self._bounds, seconds)
        with self._lock:
            if (found := self._sums.get(values)) is None:
                found = self._sums[values] = _Sum()
            found.seconds += seconds
            found.buckets[place] = found.buckets.get(place, 0) + 1

    def flush(self) -> None:
        """Add what was noted to the histogram."""
        with self._lock:
            sums, self._sums = self._sums, {}
        for values, noted in sums.items():
            series = self._series(*self._bound(*values))
            series._sum.inc(noted.seconds)  # noqa: SLF001  `observe` would take them one by one
            for place, count in noted.buckets.items():
                series._buckets[place].inc(count)  # noqa: SLF001  as above
