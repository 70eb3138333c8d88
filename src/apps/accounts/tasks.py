"""Mail to users, and tidying up. Each mail is a job of its own, so that one that fails is tried again alone."""

import logging

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from apps.accounts import birthdays, mails, tokens
from apps.accounts.models import User
from warren.mailing import outgoing

# with back-off and jitter these span about a day, as long as a mail server may be away
MAX_RETRIES = 12
LONGEST_BACK_OFF_S = 4 * 60 * 60

log = logging.getLogger(__name__)


@shared_task(queue="io", **outgoing.TRIED_AGAIN, retry_backoff_max=LONGEST_BACK_OFF_S, max_retries=MAX_RETRIES)
def send_welcome_mail(user_id: int) -> None:
    """Greet a new user."""
    _send(user_id, subject="Welcome to Warren", template="accounts/welcome.txt")


@shared_task(queue="io", **outgoing.TRIED_AGAIN, retry_backoff_max=LONGEST_BACK_OFF_S, max_retries=MAX_RETRIES)
def send_birthday_mail(user_id: int) -> None:
    """Congratulate a user."""
    _send(user_id, subject="Happy birthday", template="accounts/birthday.txt")


@shared_task(queue="io")
def send_birthday_mails() -> int:
    """Make one mail job for each user whose birthday is today in TIME_ZONE; returns how many.

    The jobs' ids name the user and the day, so a second run on that day makes none.
    """
    today = timezone.localdate()
    user_ids = list(birthdays.users_on(today).values_list("pk", flat=True))
    with transaction.atomic():
        for user_id in user_ids:
            send_birthday_mail.apply_async((user_id,), task_id=f"birthday-{user_id}-{today}")
    return len(user_ids)


@shared_task(queue="io")
def delete_expired_tokens() -> int:
    """Delete tokens that nobody is let in with any more; returns how many."""
    return tokens.delete_expired()


def _send(user_id: int, *, subject: str, template: str) -> None:
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        log.info("user %s is gone; %r is not sent", user_id, subject)
        return
    mails.send(user, subject=subject, template=template)
