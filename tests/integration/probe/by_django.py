"""Enqueues Django's tasks from Django code, and tells what came of it."""

import time
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group
from django.db import transaction
from django.tasks import TaskResult
from django.utils import timezone

TIMEOUT_S = 60

# it is mounted as apps.probe, which type checkers do not see
coroutines: Any = import_module(f"{__package__}.coroutines")
django_add: Any = import_module(f"{__package__}.tasks").django_add


def added() -> dict[str, Any]:
    """A task of an app's `tasks.py`, on Django's default queue."""
    return _told(_finished(django_add.enqueue(2, other=3)))


def napped(queue: str, *, count: int, seconds: float) -> dict[str, Any]:
    """Many coroutines at once on one queue: how they ended, and for how long the worker was busy with them."""
    with transaction.atomic():
        sent = [coroutines.nap.using(queue_name=queue).enqueue(seconds) for _ in range(count)]
    done = [_finished(each) for each in sent]
    span: Any = max(_time(each.finished_at) for each in done) - min(_time(each.started_at) for each in done)
    return {**_told(done[0]), "statuses": sorted({each.status for each in done}), "span_s": span.total_seconds()}


def failed(queue: str) -> dict[str, Any]:
    """A coroutine that raises."""
    return _told(_finished(coroutines.fail.using(queue_name=queue).enqueue("no luck")))


def deferred() -> dict[str, Any]:
    """A task that is due later, enqueued by a coroutine."""
    due = timezone.now() + timedelta(seconds=3)

    async def enqueue() -> Any:
        return await django_add.using(run_after=due, queue_name="io", priority=50).aenqueue(1, 1)

    sent = async_to_sync(enqueue)()
    done = _finished(sent)
    return {"late_s": (_time(done.started_at) - due).total_seconds(), "first": sent.status, "last": done.status}


def rolled_back() -> str:
    """The id of a job that was enqueued in a transaction that was rolled back."""
    with transaction.atomic():
        sent = django_add.enqueue(1, 1)
        transaction.set_rollback(True)
    return str(sent.id)


def lingering(name: str) -> str:
    """The id of a job that runs until it is ended; then there is a row of this name."""
    return str(coroutines.linger.using(queue_name="io").enqueue(name).id)


def ended(job_id: str, *, name: str) -> dict[str, Any]:
    """How the lingering job ended, once its row is there."""
    deadline = time.monotonic() + TIMEOUT_S
    while not Group.objects.filter(name=name).exists():
        assert time.monotonic() < deadline, f"no row {name!r} within {TIMEOUT_S} s"  # noqa: S101  a probe's own
        time.sleep(0.1)
    return _told(coroutines.linger.get_result(job_id))


def _finished(result: "TaskResult[..., Any]") -> "TaskResult[..., Any]":
    """A copy of the result that has ended, so that the first can be compared."""
    deadline = time.monotonic() + TIMEOUT_S
    while not (found := result.task.get_result(result.id)).is_finished:
        assert time.monotonic() < deadline, f"{found} has not ended within {TIMEOUT_S} s"  # noqa: S101  a probe's own
        time.sleep(0.05)
    return found


def _told(result: "TaskResult[..., Any]") -> dict[str, Any]:
    return {
        "id": result.id,
        "status": result.status,
        "value": result.return_value if result.status == "SUCCESSFUL" else None,
        "errors": [[each.exception_class_path, each.traceback] for each in result.errors],
        "workers": [each.partition("@")[0] for each in result.worker_ids],
    }


def _time(moment: datetime | None) -> datetime:
    assert moment, "it has not happened"  # noqa: S101  a probe's own
    return moment
