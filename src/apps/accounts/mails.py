"""Writes mail to users."""

from django.template.loader import render_to_string

from apps.accounts.models import User
from warren.mailing import outgoing


def send(user: User, *, subject: str, template: str) -> None:
    """Send the template's text to the user. Raises what `outgoing.send` raises."""
    outgoing.send(user.email, subject=subject, body=render_to_string(template, {"user": user}))
