"""Makes Postgres and RabbitMQ ready for the other services: `manage.py provision`."""

import logging
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser, call_command

from warren.config.provisioning import broker, database, first_admin, migrations, patience, waiting

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """Runs at every start, as owner of both; each step finds what is there and adds what is missing."""

    help = "Migrate; then make roles and rights, RabbitMQ's users and queues, and the first administrator."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--wait", type=float, metavar="SECONDS", help="how long to wait until Postgres and RabbitMQ answer"
        )

    def handle(self, *_args: Any, wait: float | None, **options: Any) -> None:
        """Each step is idempotent; the first that fails stops the start."""
        if wait is not None:
            _wait(wait)
        _migrate(options["verbosity"])
        call_command("createcachetable")
        for step in (database.provision, broker.provision, first_admin.provision):
            for done in step():
                log.info(done)


def _wait(longest_s: float) -> None:
    try:
        patience.wait_until_nothing_is_missing(waiting.to_provision, longest_s=longest_s)
    except patience.StoppedError as exc:
        raise CommandError(f"does not answer: {exc}") from exc


def _migrate(verbosity: int) -> None:
    try:
        migrations.migrate(verbosity=verbosity)
    except patience.StoppedError as exc:
        raise CommandError(f"the migration cannot be done, and nothing waits for it any more: {exc}") from exc
