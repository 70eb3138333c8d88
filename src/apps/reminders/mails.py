"""Writes a reminder's mail and sends it, to its owner's address and no other."""

from datetime import datetime

from django.conf import settings
from django.db.models.functions import Now
from django.template.loader import render_to_string

from apps.reminders.models import Occurrence, Reminder
from warren.mailing import outgoing

SUBJECT_CHARS = 60


def send(occurrence: Occurrence) -> bool:
    """Send it if it has not been sent and is still wanted; False, with the reason in its row, if not.

    A worker that dies between the sending and the noting of it sends once more: with the same Message-ID, by which many
    mail servers and programs show one. Raises what `outgoing.send` raises.
    """
    reminder = occurrence.reminder
    if occurrence.state != Occurrence.State.SENDING:
        return False
    if reminder.cancelled_at or not reminder.owner.is_active:
        _note(occurrence, state=Occurrence.State.SKIPPED, why=_why_not(reminder))
        return False
    outgoing.send(
        reminder.owner.email,
        subject=f"Reminder: {_short(reminder.text)}",
        body=render_to_string("reminders/reminder.txt", {"reminder": reminder, "due_at": _on_the_wall(occurrence)}),
        headers={"Message-ID": f"<reminder-{reminder.pk}-{_stamp(occurrence.due_at)}@{_domain()}>"},
    )
    _note(occurrence, state=Occurrence.State.SENT, sent_at=Now())
    return True


def _note(occurrence: Occurrence, **values: object) -> None:
    Occurrence.objects.filter(pk=occurrence.pk, state=Occurrence.State.SENDING).update(**values)


def _on_the_wall(occurrence: Occurrence) -> datetime:
    """Without a zone: of a time that has one, a template would make the site's."""
    return occurrence.due_at.astimezone(occurrence.reminder.zone).replace(tzinfo=None)


def _short(text: str) -> str:
    """One line: a header has no more."""
    line = " ".join(text.split())
    return line if len(line) <= SUBJECT_CHARS else f"{line[: SUBJECT_CHARS - 1]}…"


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%S")


def _domain() -> str:
    return settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip(" >") or "localhost"


def _why_not(reminder: Reminder) -> str:
    return "it was cancelled" if reminder.cancelled_at else "its owner is not active"
