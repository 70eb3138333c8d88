"""The publisher for the broker that BROKER_URL names."""

from celery import Celery

from warren.delivery import topology
from warren.delivery.publisher import Publisher
from warren.delivery.rabbitmq_publisher import RabbitMQPublisher
from warren.delivery.redis_publisher import RedisPublisher


def publisher_for(app: Celery) -> Publisher:
    """A publisher, not connected yet."""
    return RedisPublisher(app) if topology.is_redis(app) else RabbitMQPublisher(app)
