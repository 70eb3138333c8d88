"""Deletes reminders and occurrences that are over."""

from datetime import datetime

from apps.reminders.models import Occurrence, Reminder
from warren.delivery import in_batches
from warren.delivery.models import Job
from warren.delivery.states import State

TICK = "reminders.send_due_reminders"


def tidy(*, before: datetime, ticks_before: datetime) -> dict[str, int]:
    """Delete what has been over since before that moment; returns how many: `{occurrences, reminders, ticks}`.

    A tick each minute would be half of all jobs that people see, so those that went well go sooner than other jobs.
    """
    occurrences = Occurrence.objects.filter(made_at__lt=before).order_by("made_at")
    over = Reminder.objects.filter(next_at__isnull=True, created_at__lt=before).exclude(occurrences__isnull=False)
    ticks = Job.objects.filter(task=TICK, state=State.SUCCEEDED, finished_at__lt=ticks_before)
    return {
        "occurrences": in_batches.delete(occurrences),
        "reminders": in_batches.delete(over.order_by("pk")),
        "ticks": in_batches.delete(ticks.order_by("finished_at")),
    }
