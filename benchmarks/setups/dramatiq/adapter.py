"""dramatiq, as its guide has it."""

from typing import Any

import dramatiq
import tasks

from benchmarks.harness.adapter import BULK

TIMEOUT_MS = 60_000
READ_AT_ONCE = 1000


def make() -> "Dramatiq":
    """The adapter of this process."""
    return Dramatiq()


class Dramatiq:
    """See `benchmarks.harness.adapter`."""

    def submit_each(self, kind: str, *, numbers: range, seconds: float) -> None:
        actor, extra = _actor(kind, seconds)
        for number in numbers:
            actor.send(number, *extra)

    def submit_bulk(self, kind: str, *, numbers: range, seconds: float) -> None:
        actor, extra = _actor(kind, seconds)
        for start in range(numbers.start, numbers.stop, BULK):
            part = range(start, min(start + BULK, numbers.stop))
            dramatiq.group([actor.message(number, *extra) for number in part]).run()

    def settled(self) -> bool:
        return True

    def stored(self) -> int:
        return int(tasks.results.client.dbsize())  # it holds nothing but results

    def total(self) -> int:
        client = tasks.results.client
        with client.pipeline() as pipe:
            for key in client.scan_iter(count=READ_AT_ONCE):
                pipe.lindex(key, 0)
            return sum(tasks.results.unwrap_result(tasks.results.encoder.decode(text)) for text in pipe.execute())

    def call(self, number: int) -> int:
        return int(tasks.echo.send(number).get_result(block=True, timeout=TIMEOUT_MS))


def _actor(kind: str, seconds: float) -> tuple[Any, tuple[float, ...]]:
    return getattr(tasks, kind), () if kind == "echo" else (seconds,)
