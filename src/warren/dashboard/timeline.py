"""What happened to a job, in order, for people: its history, and where it stands now."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from warren.delivery.models import Job, JobEvent
from warren.delivery.states import State

_TITLES = {
    JobEvent.Kind.RETRIED: "Retried by hand",
    JobEvent.Kind.CANCELLED: "Cancelled",
    JobEvent.Kind.LOST: "Its worker was lost",
    JobEvent.Kind.ATTEMPT_FAILED: "Attempt failed, another follows",
    JobEvent.Kind.DEAD: "Given up",
    JobEvent.Kind.CLONED: "Submitted anew",
}
_TONES = {
    JobEvent.Kind.RETRIED: "runs",
    JobEvent.Kind.CANCELLED: "waits",
    JobEvent.Kind.LOST: "warns",
    JobEvent.Kind.ATTEMPT_FAILED: "warns",
    JobEvent.Kind.DEAD: "bad",
    JobEvent.Kind.CLONED: "waits",
}
_TOLD_BY_AN_EVENT = frozenset({State.CANCELLED, State.DEAD})


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One line. `took` is how long the attempt ran; `former` is how the job had ended before it was retried."""

    at: datetime
    title: str
    tone: str
    by: str = ""
    reason: str = ""
    attempt: int = 0
    worker: str = ""
    took: timedelta | None = None
    former: str = ""
    error: Mapping[str, str] | None = None


def of(job: Job, *, history: Sequence[Mapping[str, Any]], now: datetime) -> list[Moment]:
    """Oldest first; `history` is as `events.history_of` tells it."""
    return sorted([*_first(job), *map(_event, history), *_now(job, now)], key=lambda moment: moment.at)


def _first(job: Job) -> Iterator[Moment]:
    yield Moment(at=job.created_at, title="Accepted", tone="waits")
    if job.queued_at:
        yield Moment(at=job.queued_at, title=f"Given to queue {job.queue}", tone="waits")


def _event(told: Mapping[str, Any]) -> Moment:
    kind = JobEvent.Kind(told["kind"])
    at, started_at = datetime.fromisoformat(told["at"]), _moment(told["started_at"])
    ended_at = _moment(told["finished_at"]) or at
    return Moment(
        at=at,
        title=_TITLES[kind],
        tone=_TONES[kind],
        by=told["by"] or "",
        reason=told["reason"],
        attempt=told["attempt"],
        worker=told["worker"],
        took=ended_at - started_at if started_at and kind in _OF_AN_ATTEMPT else None,
        former=told["state"] if kind == JobEvent.Kind.RETRIED else "",
        error=told["error"],
    )


_OF_AN_ATTEMPT = frozenset({JobEvent.Kind.ATTEMPT_FAILED, JobEvent.Kind.LOST, JobEvent.Kind.RETRIED})


def _now(job: Job, now: datetime) -> Iterator[Moment]:
    """The attempt that runs or was the last, unless the history has told of it."""
    if job.started_at:
        yield Moment(
            at=job.started_at, title="Started", tone="runs", attempt=job.attempt, worker=job.worker,
            took=now - job.started_at if job.state == State.RUNNING else None,
        )  # fmt: skip
    if job.finished_at and job.state not in _TOLD_BY_AN_EVENT:
        tone = "good" if job.state == State.SUCCEEDED else "warns" if job.state == State.EXPIRED else "bad"
        took = job.finished_at - job.started_at if job.started_at else None
        yield Moment(at=job.finished_at, title=State(job.state).label, tone=tone, attempt=job.attempt, took=took)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
