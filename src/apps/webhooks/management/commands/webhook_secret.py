"""`manage.py webhook_secret [EMAIL]`: what a user's calls, or those of nobody's jobs, are signed with."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.webhooks import signing_secrets
from apps.webhooks.errors import NoSecretError


class Command(BaseCommand):
    """Prints the current secret and, while it is being changed, the previous one."""

    help = "Print the secret that a user's webhooks are signed with; without a user that of jobs which are nobody's."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", nargs="?", help="whose; without it, of jobs that have no owner")

    def handle(self, *_args: Any, email: str | None, **_options: Any) -> None:
        user_id = None
        if email:
            users: Any = get_user_model()
            user = users.objects.filter(**{users.USERNAME_FIELD: email}).first()
            if user is None:
                raise CommandError(f"there is no user {email}")
            user_id = user.pk
        try:
            for secret in signing_secrets.of_user(user_id):
                self.stdout.write(secret)
        except NoSecretError as exc:
            raise CommandError(str(exc)) from exc
