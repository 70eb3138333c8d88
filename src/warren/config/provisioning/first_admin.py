"""The first administrator, so that somebody can log in."""

from collections.abc import Iterator

from django.contrib.auth import get_user_model

from warren.config.env import env


def provision() -> Iterator[str]:
    """Make ADMIN_EMAIL a superuser with ADMIN_PASSWORD unless the user exists; an existing one is left alone."""
    email = env.str("ADMIN_EMAIL")
    users = get_user_model().objects
    if users.filter(email=email.lower()).exists():
        return
    users.create_superuser(email, password=env.str("ADMIN_PASSWORD"))
    yield f"administrator {email} made"
