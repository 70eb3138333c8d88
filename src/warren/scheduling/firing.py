"""What becomes of an entry that fires, by itself or because a person wants it now: one ordinary job."""

from datetime import datetime, timedelta
from typing import Any

from celery import Celery

from warren.scheduling.entry import Entry


def fire(entry: Entry, *, app: Celery, job_id: str, now: datetime) -> None:
    """Accept the entry's job under this id, in the caller's transaction. Raises as `apply_async` does."""
    headers = {**entry.options.get("headers", {}), "celery_beat_task": True}
    options = {**entry.options, **_expiry(entry, now), "headers": headers, "task_id": job_id}
    task = app.tasks.get(entry.task)
    if task is None:
        app.send_task(entry.task, entry.args, entry.kwargs, **options)
    else:
        task.apply_async(entry.args, entry.kwargs, **options)


def _expiry(entry: Entry, now: datetime) -> dict[str, Any]:
    """The time in place of seconds, which Celery would count by this machine's clock."""
    expires = entry.options.get("expires")
    return {"expires": now + timedelta(seconds=expires)} if isinstance(expires, int) else {}
