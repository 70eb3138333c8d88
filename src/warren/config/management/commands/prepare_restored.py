"""Makes a database that comes from a backup ready for workers: `manage.py prepare_restored`."""

import logging
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from warren.delivery import restored
from warren.delivery.errors import WorkersAliveError

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """To be run after `provision` and before anything else is connected; running it again does nothing more."""

    help = "End the leases of a restored database, and send again every job that was running or with the broker."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """All or nothing. Refuses a database of a newer release, and one that workers use."""
        if newer := _unknown_migrations():
            raise CommandError(
                f"the backup is of a newer release: this one does not have {', '.join(newer)}. "
                "Check out the release that the backup's manifest names, build it, and restore again"
            )
        try:
            done = restored.prepare()
        except WorkersAliveError as exc:
            raise CommandError(str(exc)) from exc
        log.info(
            "sent again: %d jobs that ran and %d that the broker had; %d leases ended",
            *(done.running, done.given, done.leases),
        )


def _unknown_migrations() -> list[str]:
    """What was applied of our own apps, and is not here. Of packages' migrations the names may be squashed away."""
    loader = MigrationLoader(connection)
    here = {label for label, name in loader.disk_migrations if _is_ours(loader, label, name)}
    unknown = loader.applied_migrations.keys() - loader.disk_migrations.keys()
    return sorted(f"{label}.{name}" for label, name in unknown if label in here)


def _is_ours(loader: MigrationLoader, label: str, name: str) -> bool:
    return type(loader.disk_migrations[label, name]).__module__.startswith(("warren.", "apps."))
