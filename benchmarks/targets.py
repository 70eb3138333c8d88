"""What the figures must show, and whether they do."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

from benchmarks.arithmetic import Figure, figure, pooled, ratio
from benchmarks.measure import Measurement
from benchmarks.works import WORKS

US, LOADED = "warren", "warren-loaded"
# set-up, and how many times its jobs a second Warren's must be
TIMES_OF_PEERS = (("django_db", 8.0), ("guide", 3.0), ("dramatiq", 1.0), ("floor", 0.4), ("floor-batched", 0.4))
THROUGH = ("accept", "bulk")
P50_MS, P99_MS = 25.0, 120.0
NEAR = 1.15

RATE, TIME, CPU = attrgetter("rate"), attrgetter("job_s"), attrgetter("job_cpu_s")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One target. `value` is what was measured, None if that was not; `at_most` says on which side of it is good."""

    name: str
    limit: float
    value: Figure | None
    at_most: bool = False

    @property
    def met(self) -> bool | None:
        """By the median; None if it was not measured."""
        if self.value is None:
            return None
        return self.value.median <= self.limit if self.at_most else self.value.median >= self.limit


def judge(made: Sequence[Measurement]) -> Iterator[Verdict]:
    """Every target, in the order of issue 3."""
    for work in THROUGH:
        for peer, times in TIMES_OF_PEERS:
            value = against(made, work, peer)
            yield Verdict(name=f"{_title(work)}: jobs/s, times {peer}", limit=times, value=value)
    yield from _latency(made)
    for work in ("io20", "io200"):
        per_job = [each.job_s / _ideal_s(work) for each in _valid(made, US, work)]
        value = figure(per_job) if per_job else None
        yield Verdict(name=f"{_title(work)}: of ideal time", limit=NEAR, value=value, at_most=True)
    for work in ("accept", "bulk", "drain"):
        for what, measure in (("time", TIME), ("CPU", CPU)):
            value = against(made, work, US, measure=measure, ours=LOADED)
            name = f"{_title(work)}: {what} a job with 1 M finished and 100 k waiting, times empty"
            yield Verdict(name=name, limit=NEAR, value=value, at_most=True)


def against(
    made: Sequence[Measurement],
    work: str,
    peer: str,
    *,
    measure: Callable[[Measurement], float] = RATE,
    ours: str = US,
) -> Figure | None:
    """Ours through the peer's, round by round; None if no round has both, and both valid."""
    own = {each.round: measure(each) for each in _valid(made, ours, work)}
    other = {each.round: measure(each) for each in _valid(made, peer, work)}
    both = sorted(own.keys() & other.keys())
    return ratio([own[number] for number in both], [other[number] for number in both]) if both else None


def _latency(made: Sequence[Measurement]) -> Iterator[Verdict]:
    for part, limit in ((0.5, P50_MS), (0.99, P99_MS)):
        waits = [each.latencies_ms for each in _valid(made, US, "latency20")]
        value = pooled(waits, part) if waits else None
        yield Verdict(name=f"{_title('latency20')}: p{100 * part:.0f} ms", limit=limit, value=value, at_most=True)


def _valid(made: Sequence[Measurement], setup: str, work: str) -> list[Measurement]:
    return [each for each in made if (each.setup, each.work) == (setup, work) and not each.void]


def _title(work: str) -> str:
    return next(each.title for each in WORKS if each.name == work)


def _ideal_s(work: str) -> float:
    return next(each.ideal_s for each in WORKS if each.name == work)
