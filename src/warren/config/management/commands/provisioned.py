"""Waits until what this process needs is provisioned: `manage.py provisioned`, which pods run before their own work."""

from functools import partial
from typing import Any

from django.core.management import BaseCommand, CommandError

from warren.config.celery import app
from warren.config.provisioning import patience, waiting


class Command(BaseCommand):
    """Ends well when all is there, and badly when it is told to stop before."""

    help = "Wait until this release's migrations, this role's rights and the declared queues are there."
    requires_system_checks = ()  # they are made when images are built

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Block, however long it takes: a release whose migrations fail must not start."""
        try:
            patience.wait_until_nothing_is_missing(partial(waiting.to_work, app))
        except patience.StoppedError as exc:
            raise CommandError(f"told to stop, and still missing: {exc}") from exc
