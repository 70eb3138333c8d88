"""The mail tasks. Their bodies run here; how jobs are delivered is tested where that is done."""

import smtplib
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import pytest
from celery.exceptions import MaxRetriesExceededError
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.core.mail.message import EmailMessage
from django.utils import timezone
from pytest_django import Settings

from apps.accounts import birthdays
from apps.accounts.models import User
from apps.accounts.schedule import SCHEDULE
from apps.accounts.tasks import MAX_RETRIES, send_birthday_mail, send_birthday_mails, send_welcome_mail
from warren.delivery.models import Job
from warren.mailing.outgoing import MailRefusedError

pytestmark = pytest.mark.django_db


class FailingBackend(EmailBackend):
    """Raises what the test has put into `failures`, then delivers."""

    failures: Iterator[OSError] = iter(())
    tries = 0

    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        FailingBackend.tries += 1
        if failure := next(FailingBackend.failures, None):
            raise failure
        return super().send_messages(messages)


@pytest.fixture
def failing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> type[FailingBackend]:
    settings.EMAIL_BACKEND = f"{__name__}.FailingBackend"
    monkeypatch.setattr(FailingBackend, "tries", 0)
    return FailingBackend


def test_it_welcomes(user: User, settings: Settings) -> None:
    send_welcome_mail.apply((user.pk,), throw=True)

    [sent] = mail.outbox
    assert (sent.to, sent.from_email) == ([user.email], settings.DEFAULT_FROM_EMAIL)
    assert "Hello Ann," in sent.body


def test_it_writes_names_as_they_are(user: User) -> None:
    user.first_name = "Ann & <Bob>"
    user.save()

    send_welcome_mail.apply((user.pk,), throw=True)

    assert "Ann & <Bob>" in mail.outbox[0].body


def test_it_wishes_a_happy_birthday(user: User) -> None:
    send_birthday_mail.apply((user.pk,), throw=True)

    assert "happy birthday" in mail.outbox[0].body


@pytest.mark.parametrize("task", [send_welcome_mail, send_birthday_mail])
def test_it_leaves_a_user_who_is_gone_in_peace(task: object, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        outcome = task.apply((4711,), throw=True)  # type: ignore[attr-defined]  # a task

    assert outcome.successful()
    assert not mail.outbox
    assert "4711" in caplog.text


@pytest.mark.parametrize(
    "failure",
    [
        smtplib.SMTPServerDisconnected("gone"),
        ConnectionRefusedError("closed"),
        smtplib.SMTPRecipientsRefused({"ann@example.com": (450, b"greylisted")}),
        smtplib.SMTPAuthenticationError(535, b"password changed"),
    ],
)
def test_it_tries_again_when_the_server_may_yet_take_it(
    user: User, failing: type[FailingBackend], failure: OSError
) -> None:
    failing.failures = iter([failure, failure])

    outcome = send_welcome_mail.apply((user.pk,))

    assert outcome.successful()
    assert (failing.tries, len(mail.outbox)) == (3, 1)


def test_it_gives_up_after_the_last_try(user: User, failing: type[FailingBackend]) -> None:
    failing.failures = iter([smtplib.SMTPServerDisconnected("gone")] * 100)

    outcome = send_welcome_mail.apply((user.pk,))

    assert outcome.failed()
    assert failing.tries == 1 + MAX_RETRIES
    assert isinstance(outcome.result, smtplib.SMTPServerDisconnected | MaxRetriesExceededError)


@pytest.mark.parametrize(
    "failure",
    [
        smtplib.SMTPRecipientsRefused({"ann@example.com": (550, b"no such user")}),
        smtplib.SMTPDataError(554, b"spam"),
        smtplib.SMTPSenderRefused(553, b"not you", "warren@example.com"),
    ],
)
def test_it_does_not_try_again_when_the_server_refuses_for_good(
    user: User, failing: type[FailingBackend], failure: OSError
) -> None:
    failing.failures = iter([failure])

    outcome = send_welcome_mail.apply((user.pk,))

    assert isinstance(outcome.result, MailRefusedError)
    assert user.email in str(outcome.result)
    assert failing.tries == 1


@pytest.mark.parametrize(
    ("born", "day", "celebrated"),
    [
        (date(1990, 5, 4), date(2026, 5, 4), "yes"),
        (date(1990, 5, 4), date(2026, 5, 5), "no"),
        (date(1990, 4, 4), date(2026, 5, 4), "no"),
        (date(1992, 2, 29), date(2028, 2, 29), "yes"),
        (date(1992, 2, 29), date(2028, 2, 28), "no"),
        (date(1992, 2, 29), date(2027, 2, 28), "yes"),
        (date(1992, 2, 29), date(2027, 3, 1), "no"),
        (date(1990, 2, 28), date(2027, 2, 28), "yes"),
        (None, date(2027, 2, 28), "no"),
    ],
)
def test_it_knows_whose_birthday_it_is(user: User, born: date | None, day: date, celebrated: str) -> None:
    user.birthday = born
    user.save()

    assert birthdays.users_on(day).filter(pk=user.pk).exists() is (celebrated == "yes")


def test_it_submits_a_mail_for_each_birthday_and_day_once(user: User, stranger: User, staff: User) -> None:
    today = timezone.localdate()
    User.objects.filter(pk__in=[user.pk, staff.pk]).update(birthday=today.replace(year=1988))
    User.objects.filter(pk=stranger.pk).update(birthday=(today - timedelta(days=1)))

    counts = [send_birthday_mails(), send_birthday_mails()]

    assert counts == [2, 2]
    jobs = Job.objects.filter(task=send_birthday_mail.name, queue="io")
    assert sorted(job.args[0] for job in jobs) == sorted([user.pk, staff.pk])


def test_it_forgets_inactive_users(user: User) -> None:
    user.birthday, user.is_active = date(1990, 5, 4), False
    user.save()

    assert not birthdays.users_on(date(2026, 5, 4)).exists()


def test_it_is_scheduled_for_eight_in_the_morning() -> None:
    entry = SCHEDULE["birthday-mails"]

    assert entry["task"] == send_birthday_mails.name
    schedule = entry["schedule"]
    assert (schedule.hour, schedule.minute, schedule.day_of_week) == ({8}, {0}, set(range(7)))  # type: ignore[attr-defined]  # a crontab
