"""Sends a mail, and tells apart what may succeed later and what never will."""

import smtplib
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMessage

# Options of every task that sends: `send` raises an OSError, which smtplib's errors are too, where another try may
# succeed. For how long to try, each task says: a mail server may be away for hours, but some mails are no help then.
TRIED_AGAIN: Final[Mapping[str, Any]] = {"autoretry_for": (OSError,), "retry_backoff": 5}

PERMANENT = range(500, 600)  # RFC 5321, 4.2.1: asking again will not help


class MailRefusedError(Exception):
    """The mail server refuses this mail for good."""


def send(address: str, *, subject: str, body: str, headers: Mapping[str, str] | None = None) -> None:
    """Send a plain text to one address.

    Raises `OSError` where another try may succeed (tasks have `TRIED_AGAIN` for it), and `MailRefusedError` where not.
    """
    message = EmailMessage(subject, body, settings.DEFAULT_FROM_EMAIL, [address], headers=dict(headers or {}))
    try:
        message.send()
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as exc:
        if all(code in PERMANENT for code in _codes(exc)):
            raise MailRefusedError(f"the mail server refuses mail for {address}: {exc}") from exc
        raise


def _codes(exc: smtplib.SMTPRecipientsRefused | smtplib.SMTPResponseException) -> list[int]:
    if isinstance(exc, smtplib.SMTPRecipientsRefused):
        return [code for code, _ in exc.recipients.values()]
    return [exc.smtp_code]
