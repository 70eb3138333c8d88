"""The benchmark's work as dramatiq actors, with its RabbitMQ broker and its Redis results; otherwise its defaults."""

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

from benchmarks.setups.shared import jobs

results = RedisBackend(url="redis://valkey:6379/0")
broker = RabbitmqBroker(url="amqp://admin:for-benchmarks-only@rabbitmq:5672/warren")
broker.add_middleware(Results(backend=results))
dramatiq.set_broker(broker)

echo = dramatiq.actor(store_results=True, actor_name="echo")(jobs.echo)
wait = dramatiq.actor(store_results=True, actor_name="wait")(jobs.wait)
spin = dramatiq.actor(store_results=True, actor_name="spin")(jobs.spin)
