"""How many jobs a worker fetches ahead: few while they take long, many while they are short.

A job that is fetched waits for this worker, though another may be idle; so a worker holds what it will have done in a
moment, by the mean of what its jobs took lately, and never less than it was told to. A mean counts the long jobs
among short ones for what they cost.
"""

# What is fetched ahead is done within this, as far as one can tell.
AHEAD_S = 0.25
WIDEST = 64  # jobs for each child: a batch
FORGET = 0.1  # the weight of the latest job in the mean


class Window:
    """The number of jobs to hold, waiting and running."""

    def __init__(self, *, narrow: int, children: int) -> None:
        """`narrow` is what the worker was told to hold: the least, and where it begins."""
        self.narrow = self.size = self.kept = narrow  # kept: how many may wait for long
        self._widest = max(narrow, children * WIDEST)
        self._children = children
        self._mean_s = AHEAD_S

    def note(self, runtime_s: float) -> None:
        """One job took this long; `size` follows, in steps, because to change it costs three trips to the broker."""
        self._mean_s += (runtime_s - self._mean_s) * FORGET
        fitting = int(self._children * AHEAD_S / max(self._mean_s, 1e-6))
        wanted = max(self.narrow, min(fitting, self._widest))
        if wanted >= self.size * 2 or wanted <= self.size // 2 or wanted in (self.narrow, self._widest):
            self.size = wanted

    def shut(self) -> None:
        """Begin anew: what was thought short takes long."""
        self.size, self._mean_s = self.narrow, AHEAD_S
