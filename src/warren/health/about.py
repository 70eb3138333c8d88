"""What a worker tells of itself when it is asked: its clock and its versions.

By Celery's remote control, which nothing else gives: all times in Postgres are Postgres'.
"""

import time
from collections.abc import Callable
from typing import Any

from celery import Celery
from celery.worker.control import inspect_command

from warren.health import versions

COMMAND = "warren_about"


@inspect_command(name=COMMAND)
def about(_state: Any) -> dict[str, Any]:
    """`now` is seconds since 1970 by the worker's clock; `versions` as in `versions.here`."""
    return {"now": time.time(), "versions": versions.here()}


def ask(
    app: Celery, *, connection: Any, timeout_s: float, expected: int, heard: Callable[[str, dict[str, Any]], None]
) -> None:
    """Ask all workers; `heard` is told a name and what it said, as each answers. Ends early when `expected` have.

    A worker that runs older code answers with an `error`. Raises what the connection raises.
    """

    def take(reply: dict[str, dict[str, Any]]) -> None:
        for name, told in reply.items():
            heard(name, told)

    control: Any = app.control
    control.broadcast(COMMAND, reply=True, timeout=timeout_s, limit=expected, callback=take, connection=connection)
