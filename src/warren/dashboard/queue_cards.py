"""How each queue stands, as the overview shows it. Counts stop above `wording.MOST`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import connection

from warren.dashboard.wording import MOST
from warren.delivery import queue_figures, queue_questions
from warren.delivery.queue_figures import QueueFigures
from warren.delivery.states import State


@dataclass(frozen=True, kw_only=True)
class QueueCard:
    """One queue now, and how many jobs ended in each of the last minutes."""

    name: str
    figures: QueueFigures = field(default_factory=QueueFigures)
    finished: Sequence[int] = ()

    @property
    def longest_wait(self) -> timedelta | None:
        wait_s = self.figures.oldest_wait_s
        return None if wait_s is None else timedelta(seconds=wait_s)

    @property
    def to_do(self) -> list[tuple[State, int]]:
        """The states of what waits, or will; a list of jobs in one of them has as many."""
        figures = self.figures
        return [
            (State.ACCEPTED, figures.accepted),
            (State.QUEUED, figures.queued),
            (State.RETRYING, figures.retrying),
        ]

    @property
    def at_least(self) -> bool:
        """More wait than were looked at, so that one may wait for longer."""
        return max(number for _, number in self.to_do) > MOST

    @property
    def per_minute(self) -> float:
        """The mean of the last whole minutes."""
        recent = self.finished[-6:-1]
        return sum(recent) / len(recent) if recent else 0.0


def of(queues: Sequence[str], *, finished: Mapping[str, Sequence[int]]) -> list[QueueCard]:
    """These queues, in order; two queries. `finished` is what `throughput.finished` gives."""
    most = MOST + 1
    with connection.cursor() as cursor:
        questions = (queue_questions.open_up_to(most, queues=queues), queue_questions.ended_badly_up_to(most))
        found = queue_figures.by_queue(cursor, *questions)
    return [
        QueueCard(name=name, figures=found.get(name, QueueFigures()), finished=finished.get(name, ()))
        for name in queues
    ]
