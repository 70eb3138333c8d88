"""Celery's remote control of the workers, from the web container."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.stack import django_code
from tests.stack.stack import Stack


def stats(stack: Stack) -> dict[str, dict[str, Any]]:
    """What each worker tells of itself, by its class: `cpu` or `io`."""
    found = django_code.run(stack, "from celery import current_app\nanswer = current_app.control.inspect().stats()")
    return {name.removeprefix("worker-").split("@")[0]: told for name, told in found.items()}


def control(stack: Stack, *, command: str, worker: str) -> list[dict[str, Any]]:
    """Send `cancel_consumer` or `add_consumer` for its queue to the workers of a class; returns their replies."""
    replies = django_code.run(
        stack,
        "from celery import current_app\n"
        f"answer = current_app.control.{command}({worker!r}, reply=True, pattern='worker-{worker}@*', matcher='glob')",
    )
    if not replies:
        raise AssertionError(f"no {worker} worker answered {command}")
    return list(replies)


@contextmanager
def not_consuming(stack: Stack, *, worker: str) -> Iterator[None]:
    """Inside the block the worker takes nothing new from its queue."""
    control(stack, command="cancel_consumer", worker=worker)
    try:
        yield
    finally:
        control(stack, command="add_consumer", worker=worker)


def active(stack: Stack) -> set[str]:
    """Ids of the jobs that run, as the workers see it."""
    found = django_code.run(stack, "from celery import current_app\nanswer = current_app.control.inspect().active()")
    return {request["id"] for requests in found.values() for request in requests}
