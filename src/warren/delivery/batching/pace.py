"""How long the jobs of a task take, so that only short ones share a batch."""

# A batch is as many jobs as fit into this: long enough that the cost of a trip is small against it, short enough that
# nobody notices the wait for those before.
BATCH_S = 0.1
# How fast a long run is forgotten: after twenty short ones it weighs an eighth.
FORGET = 0.1


class Pace:
    """The longest recent run time of each task, by name; it rises at once and falls slowly."""

    def __init__(self) -> None:
        self._longest_s: dict[str, float] = {}

    def note(self, task: str, runtime_s: float) -> None:
        """One job of the task took this long."""
        known = self._longest_s.get(task, 0.0)
        self._longest_s[task] = max(runtime_s, known + (runtime_s - known) * FORGET)

    def of(self, task: str) -> float:
        """Seconds that a job of this task may take; a whole batch's worth if none has run yet."""
        return self._longest_s.get(task, BATCH_S)
