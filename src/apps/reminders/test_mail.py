"""The mail of one time."""

import smtplib
from datetime import timedelta
from typing import Any

import pytest
from celery.exceptions import Retry
from django.core import mail

from apps.reminders import keeping
from apps.reminders.conftest import MakeReminder
from apps.reminders.models import Occurrence, Reminder, Repeat
from apps.reminders.tasks import send_reminder

pytestmark = pytest.mark.django_db


@pytest.fixture
def occurrence(make_reminder: MakeReminder) -> Occurrence:
    reminder = make_reminder(ago=timedelta(minutes=1), repeat=Repeat.DAILY, text="Call <Bob>\n& 'Ann'")
    assert reminder.next_at is not None
    return Occurrence.objects.create(reminder=reminder, due_at=reminder.next_at)


def _send(occurrence: Occurrence) -> Any:
    return send_reminder.apply((occurrence.pk,), throw=True).result


def test_it_goes_to_its_owners_address_once(occurrence: Occurrence, user: Any) -> None:
    assert [_send(occurrence), _send(occurrence)] == [True, False]

    [sent] = mail.outbox
    assert (sent.to, sent.cc, sent.bcc) == ([user.email], [], [])
    assert sent.subject == "Reminder: Call <Bob> & 'Ann'"
    assert "Call <Bob>\n& 'Ann'" in sent.body
    assert "daily at " in sent.body
    occurrence.refresh_from_db()
    assert occurrence.state == Occurrence.State.SENT
    assert occurrence.sent_at is not None


def test_it_has_the_same_message_id_if_it_is_sent_again(occurrence: Occurrence) -> None:
    _send(occurrence)
    Occurrence.objects.update(state=Occurrence.State.SENDING)  # as if its worker had died before it was noted
    _send(occurrence)

    first, second = (each.extra_headers["Message-ID"] for each in mail.outbox)
    assert first == second
    assert first.endswith("@example.com>")


def test_it_names_the_time_where_its_owner_is(occurrence: Occurrence) -> None:
    Occurrence.objects.update(due_at="2026-05-04T02:15:00Z")
    Reminder.objects.update(time_zone="Asia/Kathmandu")

    _send(occurrence)

    assert "daily at 08:00 (Asia/Kathmandu)" in mail.outbox[0].body


def test_a_long_text_has_a_short_subject(occurrence: Occurrence) -> None:
    Reminder.objects.update(text="x" * 500)

    _send(occurrence)

    assert mail.outbox[0].subject == f"Reminder: {'x' * 59}…"


def test_one_that_was_cancelled_meanwhile_is_not_sent(occurrence: Occurrence) -> None:
    keeping.cancel(occurrence.reminder)

    assert _send(occurrence) is False
    assert not mail.outbox
    occurrence.refresh_from_db()
    assert (occurrence.state, occurrence.why) == (Occurrence.State.SKIPPED, "it was cancelled")


def test_one_that_is_gone_is_not_sent(occurrence: Occurrence) -> None:
    occurrence.reminder.delete()

    assert _send(occurrence) is False


def test_it_is_tried_again_when_the_server_is_away(occurrence: Occurrence, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise smtplib.SMTPServerDisconnected("gone")

    monkeypatch.setattr("warren.mailing.outgoing.EmailMessage.send", fail)

    with pytest.raises((Retry, smtplib.SMTPServerDisconnected)):
        send_reminder.apply((occurrence.pk,), throw=True)

    occurrence.refresh_from_db()
    assert occurrence.state == Occurrence.State.SENDING
