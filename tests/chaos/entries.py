"""What the ledger holds: what was submitted, and what the database says has become of it."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self


class Outcome(StrEnum):
    """What a submitter was told."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # nothing of it may exist
    UNKNOWN = "unknown"  # all of it may exist, or nothing


@dataclass(frozen=True, kw_only=True)
class Step:
    """One job: what it must give, and whether its effect must be there exactly once or at least once."""

    key: str
    value: float
    once: bool
    job_id: str = ""  # unknown where the answer with the id did not come


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One submission; all of its steps belong to one transaction."""

    kind: str
    outcome: Outcome
    steps: tuple[Step, ...]

    @classmethod
    def from_json(cls, line: str) -> Self:
        """Read a line of the producer."""
        told = json.loads(line)
        steps = [Step(key=s["key"], value=s["value"], once=s["once"], job_id=s["id"]) for s in told["steps"]]
        return cls(kind=told["kind"], outcome=Outcome(told["outcome"]), steps=tuple(steps))


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """A job of the ledger as Postgres has it."""

    id: str
    key: str
    queue: str
    state: str
    attempt: int
    worker: str
    created_at: datetime
    queued_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    error: str

    def __str__(self) -> str:
        times = f"created {self.created_at}, queued {self.queued_at}, started {self.started_at}"
        return f"{self.key} ({self.id}) {self.state}, attempt {self.attempt} on {self.worker!r}, {times}: {self.error}"


@dataclass(frozen=True, kw_only=True)
class Books:
    """All that is known when a run is over. Results are by job id: all by `AsyncResult`, some by the API."""

    entries: list[Entry]
    jobs: list[JobRow]
    effects: dict[str, int]
    closed_at: datetime
    async_results: dict[str, Any] = field(default_factory=dict)
    api_results: dict[str, Any] = field(default_factory=dict)
