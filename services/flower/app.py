"""The Celery app that Flower watches with: a broker address and nothing else."""

import os
import ssl
from pathlib import Path
from urllib.parse import quote

from celery import Celery

password = quote(Path("/run/secrets/broker_password").read_text().strip(), safe="")
# one address, or those of a cluster's nodes
addresses = [address.partition("://") for address in os.environ["WATCHED_BROKER_URL"].split(";")]
login = f"{os.environ['BROKER_USER']}:{password}"
app = Celery("flower", broker=";".join(f"{scheme}://{login}@{place}" for scheme, _, place in addresses))
# Flower must be up just when the broker is not
app.conf.broker_connection_max_retries = None
app.conf.broker_connection_retry_on_startup = True
# by TLS where an authority is named (k8s/components/tls): the broker must prove its name, and we show a certificate
if authority := os.environ.get("BROKER_TLS_CA"):
    app.conf.broker_use_ssl = {
        "ca_certs": authority,
        "cert_reqs": ssl.CERT_REQUIRED,
        "certfile": os.environ["BROKER_TLS_CERT"],
        "keyfile": os.environ["BROKER_TLS_KEY"],
        "server_hostname": None,  # kombu puts the address's
    }
