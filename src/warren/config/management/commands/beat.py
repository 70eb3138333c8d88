"""Runs Celery's beat: `manage.py beat`, which heeds SIGTERM from its first moment, as `celery beat` does not."""

import logging
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand

from warren.config.celery import app
from warren.metrics.exposition import Exposition
from warren.metrics.server import MetricsServer
from warren.telemetry import tracing


class Command(BaseCommand):
    """Until SIGTERM or SIGINT."""

    help = "Make due entries of the schedule into jobs; of several that run, one does."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Block until stopped."""
        MetricsServer(Exposition(), port=settings.METRICS_PORT).start()
        tracing.start()
        # quiet: its banner is no line of log
        app.Beat(loglevel=logging.getLevelName(logging.getLogger().level), quiet=True).run()
