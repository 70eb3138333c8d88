"""Submits many jobs on behalf of a user: all or none."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from rest_framework.exceptions import APIException, ValidationError

from warren.delivery import outbox
from warren.jobs import idempotent
from warren.jobs.errors import UnacceptableError
from warren.jobs.submit import Call, Submission, prepare

MOST_JOBS = 1000


def submit(wanted: list[Submission], *, owner_id: int | None, now: datetime, key: str | None) -> idempotent.Accepted:
    """Accept the jobs, or find those that were accepted with this idempotency key before.

    Raises `ValidationError` (400) if a job is malformed, else `UnacceptableError` (422) if one cannot be done; both
    name every job that is wrong, by its index.
    """

    def send(job_ids: list[str]) -> None:
        calls = _prepare(wanted, now=now)
        with outbox.together():
            for call, job_id in zip(calls, job_ids, strict=True):
                call.send(job_id)

    content = {"jobs": [asdict(each) for each in wanted]}
    return idempotent.submit(send, count=len(wanted), content=content, owner_id=owner_id, key=key)


def _prepare(wanted: list[Submission], *, now: datetime) -> list[Call]:
    calls: list[Call] = []
    wrong: dict[int, APIException] = {}
    for index, each in enumerate(wanted):
        try:
            calls.append(prepare(each, now=now))
        except (ValidationError, UnacceptableError) as exc:
            wrong[index] = exc
    if wrong:
        errors: Any = {"jobs": {str(index): exc.detail for index, exc in wrong.items()}}
        malformed = any(isinstance(exc, ValidationError) for exc in wrong.values())
        raise ValidationError(errors) if malformed else UnacceptableError(errors)
    return calls
