"""The floor's table and queue: a durable job, and a durable message that names it."""

from typing import Any

import amqp
import psycopg

QUEUE = "jobs"
POSTGRES = "host=postgres dbname=warren user=warren password=for-benchmarks-only"
TABLE = """
CREATE TABLE IF NOT EXISTS job (
    id bigint PRIMARY KEY, state text NOT NULL, kind text NOT NULL, number bigint NOT NULL, seconds float NOT NULL,
    attempt int NOT NULL DEFAULT 0, result text, created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz, finished_at timestamptz
)
"""


def database() -> psycopg.Connection[Any]:
    """A connection that commits each statement."""
    return psycopg.connect(POSTGRES, autocommit=True)


def broker() -> amqp.Connection:
    """A connection whose queue is there: a quorum queue, as Warren's."""
    connection = amqp.Connection("rabbitmq:5672", userid="admin", password="for-benchmarks-only", virtual_host="warren")  # noqa: S106  not a secret
    connection.connect()
    arguments = {"x-queue-type": "quorum"}
    connection.channel(1).queue_declare(QUEUE, durable=True, auto_delete=False, arguments=arguments)
    return connection
