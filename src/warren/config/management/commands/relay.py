"""Runs the relay: `manage.py relay`."""

import signal
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand

from warren.config.celery import app
from warren.delivery.figures import Figures
from warren.delivery.relay import Relay
from warren.health.heartbeat import Heartbeat
from warren.metrics import recording
from warren.metrics.exposition import Exposition
from warren.metrics.server import MetricsServer
from warren.telemetry import tracing


class Command(BaseCommand):
    """Until SIGTERM or SIGINT; then the current pass is finished."""

    help = "Move accepted jobs from the outbox to RabbitMQ."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Block until stopped."""
        recording.begin()
        MetricsServer(Exposition(collectors=[Figures()]), port=settings.METRICS_PORT).start()
        relay = Relay(app, on_pass=Heartbeat("relay").show_alive)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: relay.stop())
        tracing.start()
        relay.run()
