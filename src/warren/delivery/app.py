"""The Celery app as far as it submits jobs."""

from typing import Any, override

from celery import Celery
from celery.result import AsyncResult
from kombu.utils.uuid import uuid

from warren.delivery import idempotency, on_final
from warren.delivery.errors import IdempotencyConflictError

# What makes two calls the same: as the caller gave it, not as computed from the time of the call.
_CONTENT = ("queue", "routing_key", "priority", "countdown", "eta", "expires", "link", "link_error")


class JobApp(Celery):
    """Sends every task to the outbox, and one with an `idempotency_key` at most once."""

    @override
    def send_task(  # type: ignore[override]  # options by keyword only; nobody passes them by position
        self,
        name: str,
        args: Any = None,
        kwargs: Any = None,
        *,
        idempotency_key: str | None = None,
        **options: Any,
    ) -> AsyncResult[Any]:
        """Celery's; with `idempotency_key` the second of two equal calls gets the first one's result, `replayed`.

        Raises `IdempotencyKeyError`, and `IdempotencyConflictError` where another call has used the key; in a chain,
        group or chord an equal one too, because their results already count on ids of their own.
        """
        wanted = on_final.take_from(options)
        if wanted:
            options["headers"] = {**(options.get("headers") or {}), on_final.HEADER: wanted}
        if idempotency_key is None:
            return super().send_task(name, args, kwargs, **options)
        given_id = options.pop("task_id", None)
        job_id = given_id or uuid()
        content = {"task": name, "args": args or (), "kwargs": kwargs or {}} | {
            option: options.get(option) for option in _CONTENT
        }
        if wanted:
            content[on_final.HEADER] = wanted
        with idempotency.first_use(idempotency_key, content=content, job_ids=[job_id]) as [first]:
            if first == job_id:
                return super().send_task(name, args, kwargs, task_id=job_id, **options)
        if given_id:
            raise IdempotencyConflictError(
                f"idempotency key {idempotency_key!r} belongs to job {first}, which cannot stand in for job {job_id}: "
                "in a chain, group or chord, or with a task_id, a key can be used once",
                job_id=first,
            )
        return idempotency.earlier_result(first)
