"""Empties the broker: `manage.py empty_broker`, part of a restore."""

import logging
from typing import Any

from django.core.management import BaseCommand

from warren.config.celery import app
from warren.config.provisioning import broker

log = logging.getLogger(__name__)


class Command(BaseCommand):
    """What it holds is in Postgres too; after a restore it speaks of rows that are others by now."""

    help = "Throw away every message in the declared queues, as if the broker had lost its disk."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """As RabbitMQ's administrator; on Redis as whoever may write to it."""
        for done in broker.empty(app):
            log.info(done)
