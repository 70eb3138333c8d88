"""Reminders by mail. The tick decides, in the transaction of its job; each mail is a job of its own."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from apps.reminders import mails, ticking, tidying
from apps.reminders.models import Occurrence
from warren.delivery import outbox
from warren.delivery.ownership import owned_by
from warren.mailing import outgoing

# with back-off and jitter these span about six hours: later, a reminder is no help
MAX_RETRIES = 8
LONGEST_BACK_OFF_S = 2 * 60 * 60

KEPT = timedelta(days=30)


@shared_task(queue="io", transactional=True)  # type: ignore[call-overload, untyped-decorator]  # transactional= is ours
def send_due_reminders() -> int:
    """Make a mail job for each reminder that is due, exactly once for each time; returns how many."""
    occurrences = ticking.due()
    with outbox.together():
        for each in occurrences:
            with owned_by(each.reminder.owner_id):
                send_reminder.apply_async((each.pk,))
    return len(occurrences)


@shared_task(queue="io", **outgoing.TRIED_AGAIN, retry_backoff_max=LONGEST_BACK_OFF_S, max_retries=MAX_RETRIES)
def send_reminder(occurrence_id: int) -> bool:
    """Send a reminder's mail for one time; returns whether it was still wanted."""
    found = Occurrence.objects.select_related("reminder__owner").filter(pk=occurrence_id).first()
    return bool(found and mails.send(found))


@shared_task(queue="io")
def tidy_reminders() -> dict[str, int]:
    """Delete what is over for a month, and the jobs of past ticks; returns how many of each."""
    return tidying.tidy(before=timezone.now() - KEPT, ticks_before=timezone.now() - timedelta(days=1))
