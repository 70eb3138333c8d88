"""Writes and sends mail to users."""

import smtplib

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

from apps.accounts.models import User

PERMANENT = range(500, 600)  # RFC 5321, 4.2.1: asking again will not help


class MailRefusedError(Exception):
    """The mail server refuses this mail for good."""


def send(user: User, *, subject: str, template: str) -> None:
    """Send the template's text to the user.

    Raises `OSError`, which smtplib's errors are too, where another try may succeed, and `MailRefusedError` where not.
    """
    body = render_to_string(template, {"user": user})
    try:
        send_mail(subject, body, settings.DEFAULT_FROM_EMAIL, [user.email])
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as exc:
        if all(code in PERMANENT for code in _codes(exc)):
            raise MailRefusedError(f"the mail server refuses mail for {user.email}: {exc}") from exc
        raise


def _codes(exc: smtplib.SMTPRecipientsRefused | smtplib.SMTPResponseException) -> list[int]:
    if isinstance(exc, smtplib.SMTPRecipientsRefused):
        return [code for code, _ in exc.recipients.values()]
    return [exc.smtp_code]
