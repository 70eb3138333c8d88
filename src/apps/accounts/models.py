"""Who uses the stack: people who log in with their e-mail address."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models


class LowerCaseEmailField(models.EmailField):  # type: ignore[type-arg]  # it takes no type at run time
    """Keeps and looks up addresses in lower case, so that Ann@x.org and ann@x.org are one user."""

    def get_prep_value(self, value: Any) -> Any:
        """The value as Postgres gets it, to store or to compare with."""
        prepared = super().get_prep_value(value)
        return prepared.lower() if isinstance(prepared, str) else prepared


class EmailUserManager(BaseUserManager["User"]):
    """Makes users from an e-mail address, which is their name too."""

    def create_user(self, email: str, *, password: str | None = None, **fields: Any) -> "User":
        """A user who may log in if a password is given."""
        user = self.model(email=email.lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, *, password: str | None = None, **fields: Any) -> "User":
        """A user who may do everything."""
        return self.create_user(email, password=password, **{**fields, "is_staff": True, "is_superuser": True})


class User(AbstractUser):
    """A person."""

    username = None  # type: ignore[assignment]  # the e-mail address is the name
    email = LowerCaseEmailField(unique=True)
    birthday = models.DateField(null=True, blank=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[EmailUserManager] = EmailUserManager()  # type: ignore[assignment]  # users are made from e-mail addresses
