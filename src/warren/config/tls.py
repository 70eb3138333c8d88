"""TLS to Postgres and RabbitMQ, from files that hold certificates (k8s/components/tls).

The authority that signed the server's certificate is named, not looked up: without it nothing is encrypted, with it
every server must prove its name. Our own certificate is for servers that ask for one.
"""

import ssl
from typing import Any


def for_postgres(*, ca: str, cert: str, key: str) -> dict[str, str]:
    """Options as libpq takes them: https://www.postgresql.org/docs/17/libpq-ssl.html."""
    if not ca:
        return {}
    own = {"sslcert": cert, "sslkey": key} if cert else {}
    return {"sslmode": "verify-full", "sslrootcert": ca, **own}


def for_broker(*, ca: str, cert: str, key: str) -> dict[str, Any] | None:
    """Celery's `broker_use_ssl` for py-amqp; None for none. `delivery/wire.py` adds the name that a node must prove."""
    if not ca:
        return None
    own = {"certfile": cert, "keyfile": key} if cert else {}
    return {"ca_certs": ca, "cert_reqs": ssl.CERT_REQUIRED, **own}


def context(options: dict[str, Any]) -> ssl.SSLContext:
    """The same for a client that speaks HTTP."""
    made = ssl.create_default_context(cafile=options["ca_certs"])
    if "certfile" in options:
        made.load_cert_chain(options["certfile"], options["keyfile"])
    return made
