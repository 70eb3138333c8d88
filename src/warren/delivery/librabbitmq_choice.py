"""Which client library speaks to RabbitMQ: py-amqp, except where librabbitmq was asked for.

kombu prefers librabbitmq for `amqp://` wherever it is installed, and it has no confirms, no heartbeats and no TLS. So
it is never taken by accident, and if asked for (WORKER_LIBRABBITMQ) only to consume, and only in a prefork worker.
"""

from importlib.util import find_spec
from typing import Any

from celery import Celery
from django.core.exceptions import ImproperlyConfigured
from kombu.transport import TRANSPORT_ALIASES

SCHEME = "warren-librabbitmq"


def use_for_consuming(app: Celery, *, pool: str) -> None:
    """Make the worker consume over librabbitmq; raises `ImproperlyConfigured` where it would be unsafe."""
    if pool != "prefork":
        raise ImproperlyConfigured(f"WORKER_LIBRABBITMQ needs WORKER_POOL=prefork, not {pool!r}: it blocks other pools")
    conf: Any = app.conf
    url = conf.broker_url
    if conf.broker_use_ssl or not url.startswith("pyamqp://"):
        scheme = url.partition("://")[0]
        raise ImproperlyConfigured(
            f"WORKER_LIBRABBITMQ has no TLS: BROKER_URL must be pyamqp:// without it, not {scheme}"
        )
    if find_spec("librabbitmq") is None:
        raise ImproperlyConfigured("WORKER_LIBRABBITMQ: the package is in the worker-cpu image only")
    TRANSPORT_ALIASES[SCHEME] = "warren.delivery.librabbitmq_transport:Transport"
    conf.broker_read_url = url.replace("pyamqp", SCHEME, 1)


def refuse_accidents(app: Celery) -> None:
    """Raises `ImproperlyConfigured` if any connection resolves to librabbitmq without having been asked to."""
    for connection in (app.connection_for_read(), app.connection_for_write()):
        transport = connection.get_transport_cls()
        asked = transport.__module__ == "warren.delivery.librabbitmq_transport"
        if transport.driver_name == "librabbitmq" and not asked:
            raise ImproperlyConfigured(
                f"{connection.as_uri()} would use librabbitmq, which loses messages unseen: write pyamqp:// in "
                "BROKER_URL, and set WORKER_LIBRABBITMQ=1 if you want it for consuming"
            )
