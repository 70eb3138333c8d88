"""Makes a database that comes from a backup ready for workers: `manage.py prepare_restored [--migrate]`."""

import logging
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from warren.config.provisioning import migrations, patience
from warren.delivery import restored
from warren.delivery.errors import WorkersAliveError

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """To be run before anything else is connected; running it again does nothing more.

    Touches this database alone: no logins, which all databases of a Postgres share, and no broker. `provision` does.
    """

    help = "End the leases of a restored database, and send again every job that was running or with the broker."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--migrate", action="store_true", help="first bring its tables to this release")

    def handle(self, *_args: Any, migrate: bool, **options: Any) -> None:
        """All or nothing. Refuses a database of a newer release before it changes it, and one that workers use."""
        if newer := _unknown_migrations():
            raise CommandError(
                f"the backup is of a newer release: this one does not have {', '.join(newer)}. "
                "Check out the release that the backup's manifest names, build it, and restore again"
            )
        try:
            if migrate:
                migrations.migrate(verbosity=options["verbosity"])
            done = restored.prepare()
        except (WorkersAliveError, patience.StoppedError) as exc:
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
