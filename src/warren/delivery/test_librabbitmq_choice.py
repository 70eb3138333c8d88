import pytest
from celery import Celery
from django.core.exceptions import ImproperlyConfigured

from warren.delivery import librabbitmq_choice


def app(url: str = "pyamqp://u:p@here:5672/v", **settings: object) -> Celery:
    made = Celery("tests", set_as_current=False)
    made.conf.update(broker_url=url, **settings)
    return made


def test_it_consumes_over_librabbitmq_and_publishes_over_pyamqp() -> None:
    made = app()

    librabbitmq_choice.use_for_consuming(made, pool="prefork")
    librabbitmq_choice.refuse_accidents(made)

    assert made.connection_for_read().transport_cls == librabbitmq_choice.SCHEME
    assert made.connection_for_write().get_transport_cls().driver_name == "py-amqp"


def test_it_consumes_over_librabbitmq_from_every_node() -> None:
    made = app("pyamqp://u:p@one:5672/v;pyamqp://u:p@two:5672/v")

    librabbitmq_choice.use_for_consuming(made, pool="prefork")
    librabbitmq_choice.refuse_accidents(made)

    connection = made.connection_for_read()
    connection.maybe_switch_next()
    assert (connection.transport_cls, connection.hostname) == (librabbitmq_choice.SCHEME, "two")


@pytest.mark.parametrize("pool", ["gevent", "eventlet", "threads", "solo"])
def test_it_refuses_other_pools(pool: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="WORKER_POOL=prefork"):
        librabbitmq_choice.use_for_consuming(app(), pool=pool)


@pytest.mark.parametrize(
    ("url", "tls"),
    [("pyamqps://here", False), ("amqps://here", False), ("pyamqp://here", True), ("pyamqp://a;pyamqps://b", False)],
)
def test_it_refuses_tls(url: str, tls: bool) -> None:  # noqa: FBT001  a parameter of the case
    with pytest.raises(ImproperlyConfigured, match="no TLS"):
        librabbitmq_choice.use_for_consuming(app(url, broker_use_ssl=tls), pool="prefork")


@pytest.mark.parametrize("url", ["amqp://here", "librabbitmq://here", "pyamqp://a;librabbitmq://b"])
def test_it_refuses_a_librabbitmq_that_was_not_asked_for(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="WORKER_LIBRABBITMQ=1"):
        librabbitmq_choice.refuse_accidents(app(url))
