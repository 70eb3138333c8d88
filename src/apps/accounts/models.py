"""Who uses the stack: people who log in with their e-mail address."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models


class EmailUserManager(UserManager["User"]):
    """Makes users from an e-mail address, which is their name too."""

    def create_user(self, email: str, *, password: str | None = None, **fields: Any) -> "User":  # type: ignore[override]  # there is no username
        return super().create_user(username=email.lower(), email=email.lower(), password=password, **fields)

    def create_superuser(self, email: str, *, password: str | None = None, **fields: Any) -> "User":  # type: ignore[override]  # there is no username
        return super().create_superuser(username=email.lower(), email=email.lower(), password=password, **fields)


class User(AbstractUser):
    """A person. `username` is kept for Django's own pages and is always the lower-case e-mail address."""

    email = models.EmailField(unique=True)
    birthday = models.DateField(null=True, blank=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = EmailUserManager()
