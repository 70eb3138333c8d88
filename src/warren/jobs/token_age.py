"""How long a token is good: TOKEN_DAYS after it was made; 0 days are for ever."""

from datetime import datetime, timedelta

from django.conf import settings


def is_over(created: datetime, *, now: datetime) -> bool:
    """Whether a token that was made then is good no more."""
    lifetime = timedelta(days=settings.TOKEN_DAYS)
    return bool(lifetime) and created < now - lifetime
