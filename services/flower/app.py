"""The Celery app that Flower watches with: a broker address and nothing else."""

import os
from pathlib import Path

from celery import Celery

password = Path("/run/secrets/broker_password").read_text().strip()
scheme, _, place = os.environ["WATCHED_BROKER_URL"].partition("://")
app = Celery("flower", broker=f"{scheme}://{os.environ['BROKER_USER']}:{password}@{place}")
# Flower must be up just when the broker is not
app.conf.broker_connection_max_retries = None
app.conf.broker_connection_retry_on_startup = True
