"""Which client library speaks to RabbitMQ: py-amqp, except where librabbitmq was asked for.

kombu prefers librabbitmq for `amqp://` wherever it is installed, and it has no confirms, no heartbeats and no TLS. So
it is never taken by accident, and if asked for (WORKER_LIBRABBITMQ) only to consume, and only in a prefork worker.
"""

from importlib.util import find_spec
from typing import Any

from celery import Celery
from django.core.exceptions import ImproperlyConfigured
from kombu.transport import TRANSPORT_ALIASES

from warren.delivery import broker_addresses

SCHEME = "warren-librabbitmq"


def use_for_consuming(app: Celery, *, pool: str) -> None:
    """Make the worker consume over librabbitmq; raises `ImproperlyConfigured` where it would be unsafe."""
    if pool != "prefork":
        raise ImproperlyConfigured(f"WORKER_LIBRABBITMQ needs WORKER_POOL=prefork, not {pool!r}: it blocks other pools")
    conf: Any = app.conf
    schemes = {address.partition("://")[0] for address in broker_addresses.split(conf.broker_write_url)}
    if conf.broker_use_ssl or schemes != {"pyamqp"}:
        raise ImproperlyConfigured(
            f"WORKER_LIBRABBITMQ has no TLS: BROKER_URL must be pyamqp:// without it, not {', '.join(sorted(schemes))}"
        )
    if find_spec("librabbitmq") is None:
        raise ImproperlyConfigured("WORKER_LIBRABBITMQ: the package is in the worker-cpu image only")
    TRANSPORT_ALIASES[SCHEME] = "warren.delivery.librabbitmq_transport:Transport"
    conf.broker_read_url = conf.broker_write_url.replace("pyamqp://", f"{SCHEME}://")


def refuse_accidents(app: Celery) -> None:
    """Raises `ImproperlyConfigured` if any connection resolves to librabbitmq without having been asked to."""
    conf: Any = app.conf
    for address in broker_addresses.split(f"{conf.broker_read_url}{broker_addresses.SEPARATOR}{conf.broker_write_url}"):
        connection = app.connection_for_write(address)
        transport = connection.get_transport_cls()
        asked = transport.__module__ == "warren.delivery.librabbitmq_transport"
        if transport.driver_name == "librabbitmq" and not asked:
            raise ImproperlyConfigured(
                f"{connection.as_uri()} would use librabbitmq, which loses messages unseen: write pyamqp:// in "
                "BROKER_URL, and set WORKER_LIBRABBITMQ=1 if you want it for consuming"
            )
