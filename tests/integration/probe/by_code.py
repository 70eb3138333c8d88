"""Calls tasks from Django code in every way that Celery's users know, and tells what came of it."""

import time
from typing import Any

from celery import chain, chord, current_app, group
from celery.result import AsyncResult, GroupResult
from django.db import transaction

TIMEOUT_S = 30


def delayed() -> dict[str, Any]:
    """`delay` and everything that an AsyncResult offers."""
    sent = _task("arithmetic.add").delay(2, 3)
    got = sent.get(timeout=TIMEOUT_S)
    again: AsyncResult[Any] = AsyncResult(sent.id)
    return {
        "got": got,
        "state": again.state,
        "status": again.status,
        "result": again.result,
        "ready": again.ready(),
        "successful": again.successful(),
        "failed": again.failed(),
        "same": again == sent,
    }


def failing() -> dict[str, Any]:
    """A failure comes back as the exception that the task raised."""
    sent = _task("probe.cpu.fail").apply_async(kwargs={"message": "no luck"})
    try:
        sent.get(timeout=TIMEOUT_S)
    except ValueError as exc:
        raised = str(exc)
    else:
        raised = ""
    return {
        "raised": raised,
        "state": sent.state,
        "successful": sent.successful(),
        "failed": sent.failed(),
        "traceback": sent.traceback,
    }


def waiting() -> dict[str, Any]:
    """What is not due yet is pending; `get` gives up when told to."""
    sent = _task("probe.cpu.noop").apply_async(countdown=600)
    try:
        sent.get(timeout=0.3)
    except Exception as exc:  # noqa: BLE001  which one it is, is what the test asks
        raised = type(exc).__name__
    else:
        raised = ""
    return {"raised": raised, "state": sent.state, "ready": sent.ready()}


def canvas() -> dict[str, Any]:
    """Chain, group and chord, across both queues."""
    add, echo = _task("arithmetic.add"), _task("probe.io.echo")
    chained: Any = chain(add.s(1, 2), add.s(10), add.s(100)).apply_async()
    grouped: Any = group([*(add.s(number, number) for number in range(5)), echo.s("io")]).apply_async()
    grouped.save()
    restored = GroupResult.restore(grouped.id)
    joined = chord([add.s(1, 1), add.s(2, 2)], _task("probe.io.total").s()).apply_async()
    return {
        "chain": chained.get(timeout=TIMEOUT_S),
        "chain's first": chained.parent.parent.get(timeout=TIMEOUT_S),
        "group": grouped.get(timeout=TIMEOUT_S),
        "group restored": restored.get(timeout=TIMEOUT_S) if restored else None,
        "group done": grouped.completed_count(),
        "chord": joined.get(timeout=TIMEOUT_S),
    }


def chain_that_needs(name: str) -> dict[str, str]:
    """The ids of a chain's first step, which fails until it is mended, and of its last."""
    add = _task("arithmetic.add")
    sent: Any = chain(_task("probe.cpu.needs").si(name), add.s(10), add.s(100)).apply_async()
    return {"needy": sent.parent.parent.id, "last": sent.id}


def chord_that_needs(name: str) -> dict[str, str]:
    """The ids of a chord's part that fails until it is mended, and of its body."""
    add = _task("arithmetic.add")
    sent: Any = chord([add.s(1, 1), _task("probe.cpu.needs").si(name), add.s(2, 2)])(_task("probe.io.total").s())
    return {"needy": sent.parent.results[1].id, "last": sent.id}


def retried() -> dict[str, Any]:
    """A task that asks for another attempt gets it, as the same job."""
    sent = _task("probe.cpu.succeed_at_third").delay()
    return {"got": sent.get(timeout=TIMEOUT_S), "id": sent.id}


def rolled_back() -> str:
    """The id of a job that was submitted in a transaction that was rolled back."""
    with transaction.atomic():
        sent = _task("probe.cpu.noop").delay()
        transaction.set_rollback(True)
    return str(sent.id)


def many(name: str, *, count: int, **kwargs: Any) -> list[str]:
    """The ids of this many jobs, accepted together."""
    task = _task(name)
    with transaction.atomic():
        return [task.apply_async(kwargs=kwargs).id for _ in range(count)]


def round_trip_s() -> float:
    """Seconds from submitting a no-op to having its result; the best of five."""
    return min(_one_round_trip_s() for _ in range(5))


def _one_round_trip_s() -> float:
    started = time.monotonic()
    _task("probe.io.noop").delay().get(timeout=TIMEOUT_S)
    return time.monotonic() - started


def _task(name: str) -> Any:
    current_app.loader.import_default_modules()
    return current_app.tasks[name]
