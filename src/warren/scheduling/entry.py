"""One entry of the schedule, as it was when it was read."""

import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID, uuid5

from celery import Celery
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import ModelEntry

from warren.scheduling.clock import Clock

_TICKS = UUID("b3a4c0de-6f5e-4d1f-9a53-5f2a0f7f1a10")  # any, the same for ever: ids of ticks are made from it


@dataclass(frozen=True)
class Run:
    """When an entry last ran, None for never, and how often it has: what a tick is made of and compared with."""

    last_run_at: datetime | None
    total_run_count: int

    def of(self, pk: int) -> Any:
        """The entry's row, if nobody has fired, reset or switched it off since."""
        return PeriodicTask.objects.filter(
            pk=pk, enabled=True, last_run_at=self.last_run_at, total_run_count=self.total_run_count
        )


class Entry(ModelEntry):  # type: ignore[misc]  # django-celery-beat ships no types
    """django-celery-beat's entry, which goes by `clock` and writes only over what it has read.

    `read` is the run that the row had then: it is the tick's name and its fence.
    """

    def __init__(self, model: PeriodicTask, *, app: Celery, clock: Clock) -> None:
        self._clock = clock
        self.read = Run(model.last_run_at, model.total_run_count)  # upstream fills in a missing time
        super().__init__(model, app=app)
        self.schedule.nowfun = self.default_now

    @property
    def tick_id(self) -> str:
        """The id of the job that the next run of this entry becomes: the same for whoever has read the same run."""
        last = self.read.last_run_at.astimezone(UTC).isoformat() if self.read.last_run_at else "never"
        return str(uuid5(_TICKS, f"{self.model.pk} {last} {self.read.total_run_count}"))

    def default_now(self) -> datetime:
        """Postgres' time, in the schedule's zone."""
        return self._clock.now().astimezone(self.app.timezone)

    _default_now = default_now

    def is_due(self) -> Any:
        """Whether, and when again; see Celery. An entry that is to run once and has is switched off."""
        if self.model.one_off and self.model.enabled and self.model.total_run_count > 0:
            self._disable(self.model)  # before upstream does, which would save all that it read, however long ago
        return super().is_due()

    def __next__(self) -> Self:
        """The entry after a run now; this one stays as it was read."""
        model = copy.copy(self.model)
        model.last_run_at = self._clock.now()
        model.total_run_count += 1
        return type(self)(model, app=self.app, clock=self._clock)

    def _disable(self, model: PeriodicTask) -> None:
        model.enabled = False
        start_again = {"total_run_count": 0} if model.one_off else {}  # so that switching it on lets it run once more
        self.read.of(model.pk).update(enabled=False, **start_again)
