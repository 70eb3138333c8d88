"""The sums behind the figures."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A median and how far the single values lie apart."""

    median: float
    least: float
    most: float

    @property
    def spread(self) -> float:
        """Half the range, as a part of the median: 0.1 means that the values lie within about ±10 %."""
        return (self.most - self.least) / 2 / self.median if self.median else 0.0


def figure(values: Sequence[float]) -> Figure:
    """Summarise one value per round. Raises `ValueError` for none."""
    if not values:
        raise ValueError("no value to summarise")
    return Figure(median=statistics.median(values), least=min(values), most=max(values))


def ratio(values: Sequence[float], others: Sequence[float]) -> Figure:
    """How many times `others` the values are, round by round: what disturbs a round disturbs both of its parts.

    Raises `ValueError` if there is no round, or the two have not the same number.
    """
    return figure([value / other for value, other in zip(values, others, strict=True)])


def percentile(values: Sequence[float], part: float) -> float:
    """The value that this part (0 to 1) of the values does not exceed: nearest rank. Raises `ValueError` for none."""
    if not values:
        raise ValueError("no value to rank")
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * part // 1))  # rounded up
    return ordered[int(rank) - 1]


def pooled(rounds: Sequence[Sequence[float]], part: float) -> Figure:
    """The percentile of all rounds' values together, and the least and the most that a round alone has."""
    alone = [percentile(values, part) for values in rounds]
    together = percentile([value for values in rounds for value in values], part)
    return Figure(median=together, least=min(alone), most=max(alone))
