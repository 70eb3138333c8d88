"""What calls are signed with. Each user's calls by a secret of its own, made from the installation's.

Were it one for all, any user, who must know it to verify calls, could forge those to the others.
"""

import hashlib
import hmac

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.webhooks.errors import NoSecretError

PREFIX = "whsec_"  # by which people and scanners of code know it for what it is
SHORTEST = 32  # characters of the installation's secrets


def of_user(user_id: int | None) -> list[str]:
    """The user's secrets, the current one first, then that of WEBHOOK_PREVIOUS_SECRET; None is nobody's jobs.

    Raises `NoSecretError`.
    """
    if not settings.WEBHOOK_SECRETS:
        raise NoSecretError
    subject = f"warren webhook secret of user {user_id or 'nobody'}".encode()
    return [PREFIX + hmac.new(each.encode(), subject, hashlib.sha256).hexdigest() for each in settings.WEBHOOK_SECRETS]


def refuse_weak() -> None:
    """Raise `ImproperlyConfigured` for a secret that could be guessed."""
    if any(len(each) < SHORTEST for each in settings.WEBHOOK_SECRETS):
        raise ImproperlyConfigured(f"WEBHOOK_SECRET and WEBHOOK_PREVIOUS_SECRET need {SHORTEST} characters or more")
