"""How far apart the relay's passes begin: one costs much the same for one message as for twenty.

idle, or a trickle    10 ms: nobody notices, and the first after a quiet moment starts at once
a stream              40 ms: more than 200 messages a second keep a core busy with passes, and workers with claims
                      of one job; so they travel by the dozen
"""

import time
from collections.abc import Callable

TRICKLE_S = 0.01
STREAM_S = 0.04
STREAM_RATE = 200.0  # messages a second
MEASURED_FOR_S = 0.25


class Pace:
    """Keep count of what passes moved; `every_s` follows, a quarter of a second later."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = clock()
        self._moved = 0
        self.every_s = TRICKLE_S

    def note(self, moved: int) -> None:
        """A pass has moved so many messages."""
        self._moved += moved
        elapsed_s = self._clock() - self._since
        if elapsed_s >= MEASURED_FOR_S:
            self.every_s = STREAM_S if self._moved / elapsed_s > STREAM_RATE else TRICKLE_S
            self._since, self._moved = self._clock(), 0
