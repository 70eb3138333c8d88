"""Tokens that end: one is good for TOKEN_DAYS after it was made; 0 days are for ever."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from rest_framework.authentication import TokenAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.exceptions import AuthenticationFailed

from apps.accounts.models import User
from warren.delivery import in_batches
from warren.jobs import token_age

# a function, because workers may not read tokens (its migration says more)
_DELETE_EXPIRED = "SELECT warren_delete_expired_tokens(%s, {days})"


class ExpiringTokenAuthentication(TokenAuthentication):
    """DRF's, which also refuses a token that is too old."""

    def authenticate_credentials(self, key: str) -> tuple[Any, Any]:
        """The user and the token. Raises `AuthenticationFailed` (401)."""
        user, token = super().authenticate_credentials(key)
        if _is_over(token):
            raise AuthenticationFailed(f"This token is older than {settings.TOKEN_DAYS} days; ask for a new one.")
        return user, token


@transaction.atomic
def of(user: User) -> str:
    """The user's token, a new one if the old one is over."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two who ask at once get the same
    token = Token.objects.filter(user=user).first()
    if token is not None and _is_over(token):
        token.delete()
        token = None
    return str((token or Token.objects.create(user=user)).key)


def delete_expired() -> int:
    """Delete the tokens that are over; returns how many."""
    if not settings.TOKEN_DAYS:
        return 0
    statement = _DELETE_EXPIRED.format(days=int(settings.TOKEN_DAYS))
    return in_batches.repeat(lambda: in_batches.call(statement))


def _is_over(token: Token) -> bool:
    return token_age.is_over(token.created, now=timezone.now())
