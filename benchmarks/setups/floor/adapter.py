"""The floor's submitter: rows in one statement, messages pipelined, confirms awaited together."""

from typing import Any

import amqp
from store import QUEUE, TABLE, broker, database

from benchmarks.harness.adapter import BULK

PERSISTENT = 2

_INSERT = """
INSERT INTO job (id, state, kind, number, seconds) SELECT id, 'queued', %s, id, %s FROM unnest(%s::bigint[]) AS id
"""


def make() -> "Floor":
    """The adapter of this process."""
    return Floor()


class Floor:
    """See `benchmarks.harness.adapter`."""

    def __init__(self) -> None:
        self._postgres, self._rabbitmq = database(), broker()
        self._postgres.execute(TABLE)
        self._channel = self._rabbitmq.channel(1)
        self._channel.confirm_select()
        self._confirmed = 0
        self._published = 0
        self._channel.events["basic_ack"].add(self._on_ack)

    def submit_each(self, kind: str, *, numbers: range, seconds: float) -> None:
        for number in numbers:
            self._submit(kind, range(number, number + 1), seconds)

    def submit_bulk(self, kind: str, *, numbers: range, seconds: float) -> None:
        for start in range(numbers.start, numbers.stop, BULK):
            self._submit(kind, range(start, min(start + BULK, numbers.stop)), seconds)

    def settled(self) -> bool:
        return True

    def stored(self) -> int:
        return self._ask("SELECT count(*) FROM job WHERE state = 'done'")

    def total(self) -> int:
        return self._ask("SELECT coalesce(sum(result::bigint), 0) FROM job WHERE state = 'done'")

    def call(self, number: int) -> int:
        raise NotImplementedError

    def _submit(self, kind: str, numbers: range, seconds: float) -> None:
        self._postgres.execute(_INSERT, (kind, seconds, list(numbers)))
        for number in numbers:
            message = amqp.Message(str(number), delivery_mode=PERSISTENT)
            self._channel._basic_publish(message, exchange="", routing_key=QUEUE)  # noqa: SLF001  the public one waits for each confirm
        self._published += len(numbers)
        while self._confirmed < self._published:
            self._rabbitmq.drain_events()

    def _on_ack(self, delivery_tag: int, multiple: bool) -> None:  # noqa: FBT001  py-amqp's callback
        self._confirmed = delivery_tag if multiple else self._confirmed + 1

    def _ask(self, statement: Any) -> int:
        ((number,),) = self._postgres.execute(statement).fetchall()
        return int(number)
