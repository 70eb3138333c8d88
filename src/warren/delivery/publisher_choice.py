"""The publisher for the broker that BROKER_URL names."""

from celery import Celery

from warren.delivery import topology
from warren.delivery.publisher import Publisher
from warren.delivery.rabbitmq_publisher import RabbitMQPublisher


def publisher_for(app: Celery) -> Publisher:
    """A publisher, not connected yet."""
    if not topology.is_redis(app):
        return RabbitMQPublisher(app)
    # redis brings opentelemetry along, where that is installed; who has another broker shall have neither
    from warren.delivery.redis_publisher import RedisPublisher  # noqa: PLC0415

    return RedisPublisher(app)
