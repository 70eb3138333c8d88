"""A reminder, from the API by beat's tick and the io worker to a mail: once, though two beats tick."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from tests.stack import api, django_code, postgres, waiting
from tests.stack.stack import Stack

EVERY_S = 2  # in place of a minute
_TICK_EVERY = """
from django_celery_beat.models import IntervalSchedule, PeriodicTask
entry = PeriodicTask.objects.get(name="send-due-reminders")
entry.interval, _ = IntervalSchedule.objects.get_or_create(every={every_s}, period=IntervalSchedule.SECONDS)
entry.save()
"""
_TICKS = "SELECT total_run_count FROM django_celery_beat_periodictask WHERE name = 'send-due-reminders'"
_TIMES = """
SELECT o.state FROM reminders_occurrence AS o JOIN reminders_reminder AS r ON r.id = o.reminder_id
WHERE r.text = :'text'
"""


@pytest.fixture
def two_beats(stack: Stack) -> Iterator[Stack]:
    with stack.scaled("beat", to=2):
        django_code.run(stack, _TICK_EVERY.format(every_s=EVERY_S))  # after the start, which writes code's entries
        try:
            yield stack
        finally:
            django_code.run(stack, _TICK_EVERY.format(every_s=60))


def test_a_reminder_comes_by_mail_once(two_beats: Stack) -> None:
    somebody, text = api.register(two_beats.web_url), f"carrots {uuid4().hex}"
    at = datetime.now(UTC) + timedelta(seconds=5)
    wanted = {"text": text, "at": at.strftime("%Y-%m-%dT%H:%M:%S"), "time_zone": "UTC", "repeat": "daily"}

    answer = somebody.post("/api/reminders/", wanted)

    assert answer.status_code == httpx.codes.CREATED, answer.text
    waiting.until(lambda: _mails(two_beats, text), within_s=60, what="the mail is caught")
    ticks = postgres.number(two_beats, _TICKS)
    waiting.until(lambda: postgres.number(two_beats, _TICKS) >= ticks + 3, within_s=60, what="beat ticks on")
    (mail,) = _mails(two_beats, text)
    assert f"To: {somebody.email}" in mail
    assert postgres.ask(two_beats, _TIMES, text=text) == [["sent"]]
    told = somebody.get(f"/api/reminders/{answer.json()['id']}/").json()
    assert told["next_at"] == (at + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert somebody.post(f"/api/reminders/{told['id']}/cancel/").status_code == httpx.codes.OK


def _mails(stack: Stack, text: str) -> list[str]:
    """What the SMTP server has printed of mails with this text."""
    return [each for each in stack.logs("mail").split("MESSAGE FOLLOWS") if f"Subject: Reminder: {text}" in each]
