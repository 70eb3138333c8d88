"""What a process must still wait for: before it provisions, and before it works with what was provisioned.

    Postgres   this release's migrations are applied, and the login has its role's rights
    RabbitMQ   every declared queue is there. Asked by workers and the relay; web accepts without it, beat needs none

Each look opens connections of its own, closes them, and changes nothing.
"""

from collections.abc import Callable
from typing import Any

from amqp.exceptions import AMQPError, NotFound
from celery import Celery
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from kombu.exceptions import KombuError

from warren.config.provisioning import broker, database
from warren.config.queues import QUEUES
from warren.delivery import broker_addresses, topology

ASKS_RABBITMQ = ("worker", "relay")
TIMEOUT_S = 5.0


def to_provision() -> list[str]:
    """What does not answer yet, in words; empty when `manage.py provision` can begin."""
    return [*_if_postgres_answers(_nothing), *filter(None, [broker.silence()])]


def to_work(app: Celery) -> list[str]:
    """What `manage.py provision` has not made yet, in words; empty when this process can start."""
    return [*_if_postgres_answers(_missing_in_postgres), *_missing_in_rabbitmq(app)]


def _if_postgres_answers(ask: Callable[[], list[str]]) -> list[str]:
    try:
        connection.ensure_connection()
        return ask()
    except Error as exc:
        return [f"Postgres: {str(exc).strip()}"]
    finally:
        connection.close()


def _nothing() -> list[str]:
    return []


def _missing_in_postgres() -> list[str]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        return [f"migrations: {len(plan)} of this release are not applied, {plan[0][0]} first"]
    lacking = database.missing_rights(connection.settings_dict["USER"])
    return [f"rights: {', '.join(lacking)}"] if lacking else []


def _missing_in_rabbitmq(app: Celery) -> list[str]:
    if settings.SERVICE not in ASKS_RABBITMQ or topology.is_redis(app):
        return []
    bounds = dict.fromkeys(("read_timeout", "write_timeout"), TIMEOUT_S)
    try:
        with app.connection_for_write(connect_timeout=TIMEOUT_S, transport_options=bounds) as asked:
            broker_addresses.connect(asked)
            return [f"queue: {name} is not there" for name in topology.declarations(QUEUES) if not _has(asked, name)]
    except (OSError, KombuError, AMQPError) as exc:
        return [f"RabbitMQ: {exc}"]


def _has(asked: Any, queue: str) -> bool:
    channel = asked.channel()  # its own: a missing queue closes the channel
    try:
        channel.queue_declare(queue, passive=True)
    except NotFound:
        return False
    channel.close()
    return True
