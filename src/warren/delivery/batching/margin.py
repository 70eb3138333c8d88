"""How many jobs a worker of greenlets fetches ahead: half as many again as may run at once, or none.

From the end of a body to the next message takes up to a tenth of a second: the outcome is stored, the message acked,
another delivered. While jobs take less than a second that is worth filling, and what waits soon gets its turn. Beside
longer ones it hardly shows, and what waited for them another worker may do at once.
"""

import math

MORE = 0.5  # of the places: fills a gap of half a job's time
SHORT_S, LONG_S = 0.5, 1.0  # apart, so that the window does not open and shut at every job
LONGEST_S = 2 * LONG_S  # what a longer job counts for
FORGET = 0.1  # the weight of the latest job in the mean


class Margin:
    """The number of jobs to hold, waiting and running; as `Window`."""

    def __init__(self, *, narrow: int, places: int) -> None:
        """`narrow` is what the worker was told to hold: the least, and where it begins."""
        self.narrow = self.size = narrow
        self.kept = max(narrow - places, 0)
        self._wide = narrow + math.ceil(places * MORE)
        self._mean_s = LONG_S

    def note(self, runtime_s: float) -> None:
        """One job took this long; `size` follows."""
        # a long one among many short ones does not close it: each change stops the deliveries for a moment
        self._mean_s += (min(runtime_s, LONGEST_S) - self._mean_s) * FORGET
        if self._mean_s < SHORT_S:
            self.size = self._wide
        elif self._mean_s > LONG_S:
            self.size = self.narrow

    def shut(self) -> None:
        """Begin anew, and more slowly: what was thought short takes long. What is given back too often is given up."""
        self.size, self._mean_s = self.narrow, LONGEST_S
