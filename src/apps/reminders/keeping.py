"""Sets and cancels reminders."""

from datetime import datetime

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models.functions import Now

from apps.reminders.models import Reminder
from apps.reminders.times import Course

MOST_ACTIVE = 50  # of one person


class TooManyError(Exception):
    """A person has as many reminders as one may have."""


class PastError(Exception):
    """The time of a reminder that is for once is over."""


@transaction.atomic
def keep(wanted: Reminder, *, now: datetime) -> tuple[Reminder, bool]:
    """Store a reminder, or find the one that its owner has set just like it; the second tells whether it is new.

    So a request that is sent twice sets one. Raises `TooManyError` and `PastError`.
      1. wait until the same person's other requests are done
      2. look for the same one, and count
      3. store it with the time when it is due first
    """
    get_user_model().objects.select_for_update(no_key=True).get(pk=wanted.owner_id)
    active = Reminder.objects.filter(owner_id=wanted.owner_id, next_at__isnull=False)
    same = {name: getattr(wanted, name) for name in ("text", "day", "time", "time_zone", "repeat")}
    if found := active.filter(**same).first():
        return found, False
    if (count := active.count()) >= MOST_ACTIVE:
        raise TooManyError(f"You have {count} reminders, and no more are kept; cancel one.")
    wanted.next_at = course_of(wanted).next_after(now)
    if wanted.next_at is None:
        raise PastError(f"{wanted.at.isoformat()} is past in {wanted.time_zone}.")
    wanted.save()
    return wanted, True


def cancel(reminder: Reminder) -> bool:
    """Let it be due no more; a mail that is on its way is not sent. False if there is nothing to cancel."""
    still_open = Reminder.objects.filter(pk=reminder.pk, next_at__isnull=False)
    return bool(still_open.update(next_at=None, cancelled_at=Now()))


def course_of(reminder: Reminder) -> Course:
    return Course(first=reminder.at, zone=reminder.zone, repeat=reminder.repeat)
