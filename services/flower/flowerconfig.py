"""Flower's settings: https://flower.readthedocs.io/en/latest/config.html."""

import os
from pathlib import Path
from urllib.parse import quote

SECRETS = Path("/run/secrets")

port = 5555
address = "0.0.0.0"  # noqa: S104  the container's own; compose publishes it on loopback
basic_auth = [f"{os.environ['FLOWER_USER']}:{(SECRETS / 'flower_password').read_text().strip()}"]
# reads only, unless FLOWER_READ_ONLY=0: whoever may look may not stop workers
read_only = os.environ.get("FLOWER_READ_ONLY", "1") != "0"
if os.environ["WATCHED_BROKER_URL"].startswith("pyamqp://"):  # Redis is asked over the broker connection
    password = quote((SECRETS / "broker_password").read_text().strip(), safe="")
    scheme = "https" if os.environ.get("BROKER_TLS_CA") else "http"  # which it verifies by SSL_CERT_FILE
    broker_api = f"{scheme}://flower:{password}@{os.environ['WATCHED_BROKER_API']}/api/"
max_tasks = 5000  # kept in memory; the job table is the history
persistent = False
xheaders = True
