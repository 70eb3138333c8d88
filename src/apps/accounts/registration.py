"""Makes a user who has come by themselves."""

from typing import Any

from django.db import transaction

from apps.accounts.models import User
from apps.accounts.tasks import send_welcome_mail
from warren.delivery.ownership import owned_by


def register(email: str, *, password: str, **fields: Any) -> User:
    """Create the user and the welcome mail's job in one transaction. Raises `IntegrityError` for a taken address."""
    with transaction.atomic():
        user = User.objects.create_user(email, password=password, **fields)
        with owned_by(user.pk):
            send_welcome_mail.delay(user.pk)
    return user
