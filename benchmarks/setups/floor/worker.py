"""The shortest consumer that loses nothing: take, claim, do, store, ack. `python worker.py`: two processes."""

import os
from contextlib import suppress
from typing import Any

from store import QUEUE, broker, database

from benchmarks.setups.shared import jobs

BATCH = int(os.environ["BATCH"])  # how many jobs are claimed, finished and acked together
PREFETCH = 2 * BATCH
MORE_WITHIN_S = 0.001  # a batch is what has arrived already, not what may come

_CLAIM = """
UPDATE job SET state = 'running', attempt = attempt + 1, started_at = now()
WHERE id = ANY(%s) AND state = 'queued' RETURNING id, kind, number, seconds
"""
_FINISH = """
UPDATE job SET state = 'done', result = done.result, finished_at = now()
FROM unnest(%s::bigint[], %s::text[]) AS done (id, result) WHERE job.id = done.id AND job.state = 'running'
"""


def work() -> None:
    """One process, for ever."""
    postgres, rabbitmq = database(), broker()
    channel = rabbitmq.channel(1)
    arrived: list[Any] = []
    channel.basic_qos(0, PREFETCH, False)  # noqa: FBT003  py-amqp's signature
    channel.basic_consume(QUEUE, callback=arrived.append)
    while True:
        rabbitmq.drain_events()
        with suppress(TimeoutError):
            while len(arrived) < BATCH:
                rabbitmq.drain_events(timeout=MORE_WITHIN_S)
        while arrived:
            batch, arrived[:] = arrived[:BATCH], arrived[BATCH:]
            claimed = postgres.execute(_CLAIM, ([int(message.body) for message in batch],)).fetchall()
            done = [(key, str(_do(kind, number, seconds))) for key, kind, number, seconds in claimed]
            postgres.execute(_FINISH, tuple(map(list, zip(*done, strict=True))) or ([], []))
            channel.basic_ack(batch[-1].delivery_tag, multiple=True)


def _do(kind: str, number: int, seconds: float) -> int:
    return jobs.echo(number) if kind == "echo" else getattr(jobs, kind)(number, seconds)


if __name__ == "__main__":
    os.fork()
    work()
