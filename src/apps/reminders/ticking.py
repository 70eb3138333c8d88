"""What beat's tick does: each reminder that is due gets an occurrence and a mail job, and its next time.

All of it is one transaction, that of the task which calls it. One tick works at a time; the others leave it to that.

    the worker dies in it            nothing of it was; its job runs again
    two ticks at once                the second finds the first at work, and does nothing
    the same tick comes twice        what is done is not due any more, and an occurrence is unique
    nobody ticked for a while        each reminder is due once, for the last time that it missed
    it is cancelled meanwhile        before: it is not due; after: the mail job finds it cancelled
    somebody has too many            the occurrence is there, and says why no mail was sent
"""

import logging
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfoNotFoundError

from django.db import connection
from django.db.models import Count

from apps.reminders import keeping
from apps.reminders.models import Occurrence, Reminder

MOST_A_DAY = 20  # mails to one person, in any 24 hours: a slip, or somebody's joke, must not fill a mailbox
BATCH = 500  # reminders a tick, so that its transaction is short; the rest is due at the next one

_ONE_AT_A_TIME = 7_238_003  # any number that nobody else uses
_TRY = "SELECT pg_try_advisory_xact_lock(%s), clock_timestamp()"

log = logging.getLogger(__name__)


def due() -> list[Occurrence]:
    """Store an occurrence of each reminder that is due and give it its next time; returns those to be mailed.

    The time is Postgres'. Must be called in a transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TRY, [_ONE_AT_A_TIME])
        is_alone, now = cursor.fetchone()
    if not is_alone:
        return []
    found = Reminder.objects.select_for_update(skip_locked=True, of=("self",)).select_related("owner")
    reminders = list(found.filter(next_at__lte=now).order_by("next_at", "pk")[:BATCH])
    occurrences = _judged(reminders, now)
    Occurrence.objects.bulk_create(occurrences, ignore_conflicts=True)
    Reminder.objects.bulk_update(reminders, ["next_at"])
    times = {each.reminder_id: each.due_at for each in occurrences if each.state == Occurrence.State.SENDING}
    stored = Occurrence.objects.select_related("reminder").filter(
        reminder_id__in=times, made_at__gte=now, state=Occurrence.State.SENDING
    )
    return [each for each in stored if times[each.reminder_id] == each.due_at]


def _judged(reminders: list[Reminder], now: datetime) -> list[Occurrence]:
    """An occurrence of each, sent or skipped; the reminders get their next time."""
    mailed = _mailed_lately({each.owner_id for each in reminders}, now)
    judged = []
    for reminder in reminders:
        due_at, reminder.next_at = _times(reminder, now)
        occurrence = Occurrence(reminder=reminder, due_at=due_at)
        occurrence.why = _why_not(reminder, mailed[reminder.owner_id])
        if occurrence.why:
            occurrence.state = Occurrence.State.SKIPPED
        else:
            mailed[reminder.owner_id] += 1
        judged.append(occurrence)
    return judged


def _times(reminder: Reminder, now: datetime) -> tuple[datetime, datetime | None]:
    """When it was due last, and when it is next. A zone that is not known any more must not keep others from theirs."""
    due_at = reminder.next_at or now  # it was found by its next time, so it has one
    try:
        course = keeping.course_of(reminder)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        log.exception("reminder %s is in %r, which is not known any more; it ends", reminder.pk, reminder.time_zone)
        return due_at, None
    return course.last_until(now) or due_at, course.next_after(now)


def _why_not(reminder: Reminder, mailed: int) -> str:
    if not reminder.owner.is_active or not reminder.owner.email:
        return "its owner is not active"
    return f"{mailed} mails in 24 hours are enough" if mailed >= MOST_A_DAY else ""


def _mailed_lately(owner_ids: Iterable[int], now: datetime) -> Counter[int]:
    lately = Occurrence.objects.filter(made_at__gt=now - timedelta(days=1), reminder__owner_id__in=owner_ids)
    mails = lately.exclude(state=Occurrence.State.SKIPPED).order_by()
    return Counter(dict(mails.values_list("reminder__owner_id").annotate(Count("pk"))))
