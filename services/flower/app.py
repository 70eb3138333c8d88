"""The Celery app that Flower watches with: a broker address and nothing else."""

from pathlib import Path

from celery import Celery

password = Path("/run/secrets/broker_password").read_text().strip()
app = Celery("flower", broker=f"pyamqp://flower:{password}@rabbitmq:5672/warren")
# Flower must be up just when the broker is not
app.conf.broker_connection_max_retries = None
app.conf.broker_connection_retry_on_startup = True
