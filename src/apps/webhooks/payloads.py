"""The body of a call: the job as the API shows it to its owner, when it ended.

Written once for each end, before the first attempt, so every attempt sends the same bytes.
"""

import json
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.contrib.auth.models import AnonymousUser

from warren.delivery.models import Job, JobEvent
from warren.jobs.serializers import JobSerializer

# In this order, until the rest fits: what is left out is asked for at the job's links.
LARGE = ("result", "args", "kwargs", "progress", "history", "error")


class _Reader:
    """What the API's serializers ask of a request: whose eyes read the job, and where the API is."""

    def __init__(self, user: Any) -> None:
        self.user = user or AnonymousUser()
        self.GET: dict[str, str] = {}

    def build_absolute_uri(self, location: str) -> str:
        return urljoin(settings.PUBLIC_URL, location)


def of(job: Job, *, delivery_id: str, state: str, ended_at: datetime) -> str:
    """The body as JSON, of WEBHOOK_MAX_BYTES at most; `omitted` names what of the job was left out for that."""
    ended = _as_it_ended(job, state, ended_at)
    shown: dict[str, Any] = dict(JobSerializer(ended, context={"request": _Reader(job.owner)}).data)
    told = {
        "id": delivery_id,
        "type": event_type(state),
        "created_at": ended_at.isoformat(),
        "omitted": [],
        "job": shown,
    }
    for name in LARGE:
        if len(text := _written(told)) <= settings.WEBHOOK_MAX_BYTES:
            return text
        if shown[name]:
            shown[name] = None
            told["omitted"] = [*told["omitted"], name]
    return _written(told)


def event_type(state: str) -> str:
    """How receivers know what has happened: `job.succeeded`, `job.failed` and so on."""
    return f"job.{state}"


def _as_it_ended(job: Job, state: str, ended_at: datetime) -> Job:
    """The job, which may have been retried by hand since: its history has how it had ended then."""
    if job.finished_at == ended_at and job.state == state:
        return job
    ended = JobEvent.objects.filter(job=job, kind=JobEvent.Kind.RETRIED, finished_at=ended_at).first()
    for field in ("state", "attempt", "worker", "started_at", "finished_at", "result", "traceback") if ended else ():
        setattr(job, field, getattr(ended, field))
    return job


def _written(told: dict[str, Any]) -> str:
    """ASCII, so that characters are bytes."""
    return json.dumps(told, default=str, separators=(",", ":"))
