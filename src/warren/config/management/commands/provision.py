"""Makes Postgres and RabbitMQ ready for the other services: `manage.py provision`."""

import logging
from typing import Any

from django.core.management import BaseCommand, call_command

from warren.config.provisioning import broker, database, first_admin
from warren.telemetry.logs import LogStream

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """Runs at every start, as owner of both; each step finds what is there and adds what is missing."""

    help = "Migrate; then make roles and rights, RabbitMQ's users and queues, and the first administrator."

    def handle(self, *_args: Any, **options: Any) -> None:
        """Each step is idempotent; the first that fails stops the start."""
        call_command("migrate", interactive=False, verbosity=options["verbosity"], stdout=LogStream(log))
        call_command("createcachetable")
        for step in (database.provision, broker.provision, first_admin.provision):
            for done in step():
                log.info(done)
