"""Submits a job on behalf of a user."""

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from rest_framework.exceptions import ValidationError

from warren.delivery import on_final
from warren.delivery.errors import UnknownOptionError
from warren.delivery.task import JobTask
from warren.jobs import arguments, callable_tasks, idempotent
from warren.jobs.errors import UnacceptableError

LONGEST_DELAY = timedelta(days=365)  # a job further ahead is more likely a slip of the unit than a wish


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What a caller asks for. `countdown` is seconds; `expires` is seconds from now or a moment."""

    task: str
    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)
    countdown: float | None = None
    eta: datetime | None = None
    expires: float | datetime | None = None
    priority: int | None = None
    callback_url: str | None = field(default=None, repr=False)  # it may hold a secret


@dataclass(frozen=True, kw_only=True)
class Call:
    """A submission that was found good: what to send, with Celery's options."""

    task: JobTask
    kwargs: dict[str, Any]
    options: dict[str, Any]

    def send(self, job_id: str) -> None:
        """Accept the job under this id, in the caller's transaction."""
        self.task.apply_async(kwargs=self.kwargs, task_id=job_id, **self.options)


def submit(wanted: Submission, *, owner_id: int | None, now: datetime, key: str | None = None) -> idempotent.Accepted:
    """Accept the job, or find the one that was accepted with this idempotency key before. Raises as `prepare` does."""
    return idempotent.submit(
        lambda job_ids: prepare(wanted, now=now).send(job_ids[0]),
        count=1,
        content={"job": asdict(wanted)},
        owner_id=owner_id,
        key=key,
    )


def prepare(wanted: Submission, *, now: datetime) -> Call:
    """Check what is wanted; the job would run at the earliest at its countdown or eta, counted from `now`.

    Raises `UnacceptableError` (422) for an unknown task or an impossible time, `ValidationError` (400) for
    arguments that the task does not take or an address that may not be called.
    """
    task: JobTask = callable_tasks.find(wanted.task)
    kwargs = arguments.validated(task, args=wanted.args, kwargs=wanted.kwargs)
    _check_expiry(wanted, now, _starts_at(wanted, now))
    _check_callback(wanted.callback_url)
    # what was given in seconds is counted by Postgres
    options = _without_none(
        countdown=wanted.countdown or None,
        eta=wanted.eta,
        expires=wanted.expires,
        priority=wanted.priority,
        callback_url=wanted.callback_url,
    )
    return Call(task=task, kwargs=kwargs, options=options)


def _starts_at(wanted: Submission, now: datetime) -> datetime:
    if wanted.countdown is not None:
        return now + timedelta(seconds=wanted.countdown)
    if wanted.eta is None:
        return now
    _refuse_naive("eta", wanted.eta)
    if wanted.eta < now:
        raise UnacceptableError({"eta": [f"{wanted.eta.isoformat()} is past; it is {now.isoformat()} now."]})
    if wanted.eta > now + LONGEST_DELAY:
        raise UnacceptableError({"eta": [f"{wanted.eta.isoformat()} is more than {LONGEST_DELAY.days} days ahead."]})
    return wanted.eta


def _check_expiry(wanted: Submission, now: datetime, starts_at: datetime) -> None:
    match wanted.expires:
        case None:
            return
        case datetime() as expires_at:
            _refuse_naive("expires", expires_at)
        case seconds:
            expires_at = now + timedelta(seconds=seconds)
    if expires_at <= starts_at:
        raise UnacceptableError(
            {"expires": [f"{expires_at.isoformat()} is not after {starts_at.isoformat()}, when the job may start."]}
        )
    if expires_at > starts_at + LONGEST_DELAY:
        raise UnacceptableError(
            {"expires": [f"{expires_at.isoformat()} is more than {LONGEST_DELAY.days} days after the job may start."]}
        )


def _check_callback(url: str | None) -> None:
    if url is None:
        return
    try:
        on_final.check("callback_url", url)
    except UnknownOptionError as exc:
        raise UnacceptableError({"callback_url": ["This installation calls nobody."]}) from exc
    except ValueError as exc:
        raise ValidationError({"callback_url": [str(exc)]}) from exc


def _without_none(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _refuse_naive(name: str, moment: datetime) -> None:
    if timezone.is_naive(moment):
        raise UnacceptableError({name: [f"{moment.isoformat()} has no UTC offset; add Z or, for example, +02:00."]})
