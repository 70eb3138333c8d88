"""The work that each set-up is given."""

from dataclasses import dataclass

JOBS = 10_000
IO_JOBS = 2_000
SPIN_JOBS = 500
IO_AT_ONCE = 100
PROCESSES = 2
LATENCY_S = 10.0  # a round; three rounds make the thirty seconds whose percentiles are shown


@dataclass(frozen=True, kw_only=True)
class Work:
    """`ideal_s` is the shortest time a job can take when all that may run at once does; 0: none is known."""

    name: str
    title: str
    measurement: str
    kind: str = "echo"
    way: str = "each"
    count: int = JOBS
    seconds: float = 0.0
    rate: float = 0.0
    ideal_s: float = 0.0

    def arguments(self, count: int) -> tuple[str, ...]:
        """The harness' command line."""
        given = {"kind": self.kind, "way": self.way, "count": count, "seconds": self.seconds, "rate": self.rate}
        return (self.measurement, *(text for name, value in given.items() for text in (f"--{name}", str(value))))


ACCEPT_EACH = Work(name="accept", title="accept → stored, one call a job", measurement="accept")
ACCEPT_BULK = Work(name="bulk", title="accept → stored, in bulk", measurement="accept", way="bulk")
DRAIN = Work(name="drain", title="drain a full queue", measurement="drain")
IO_SHORT = Work(
    name="io20",
    title="I/O of 20 ms, 100 at once",
    measurement="drain",
    kind="wait",
    count=IO_JOBS,
    seconds=0.02,
    ideal_s=0.02 / IO_AT_ONCE,
)
IO_LONG = Work(
    name="io200",
    title="I/O of 200 ms, 100 at once",
    measurement="drain",
    kind="wait",
    count=IO_JOBS,
    seconds=0.2,
    ideal_s=0.2 / IO_AT_ONCE,
)
SPIN = Work(
    name="cpu20",
    title="20 ms of CPU, 2 processes",
    measurement="drain",
    kind="spin",
    count=SPIN_JOBS,
    seconds=0.02,
    ideal_s=0.02 / PROCESSES,
)
LATENCY_20 = Work(
    name="latency20", title="submit → result, 20 jobs/s", measurement="latency", rate=20, seconds=LATENCY_S
)
LATENCY_100 = Work(
    name="latency100", title="submit → result, 100 jobs/s", measurement="latency", rate=100, seconds=LATENCY_S
)
WORKS = (ACCEPT_EACH, ACCEPT_BULK, DRAIN, LATENCY_20, LATENCY_100, SPIN, IO_SHORT, IO_LONG)
