"""How a tried job stands, in a person's words."""

from dataclasses import dataclass
from typing import Any

from warren.delivery.models import Job
from warren.delivery.states import State
from warren.jobs import failures, presentable

WORDS = {
    State.ACCEPTED: "Accepted. It is on its way to a worker.",
    State.QUEUED: "Waiting for a worker that is free.",
    State.RUNNING: "A worker is at it.",
    State.RETRYING: "It failed once and will be tried again by itself.",
    State.SUCCEEDED: "Done.",
    State.FAILED: "It failed.",
    State.CANCELLED: "It was cancelled.",
    State.EXPIRED: "It was not run, because it waited for too long.",
    State.DEAD: "It was given up, because it took its worker down each time.",
}
_TONES = {State.SUCCEEDED: "good", State.FAILED: "bad", State.DEAD: "bad", State.RUNNING: "runs"}


@dataclass(frozen=True, kw_only=True)
class Progress:
    """`done` of `of`; `percent` for the bar."""

    done: int
    of: int

    @property
    def percent(self) -> int:
        return round(100 * self.done / self.of) if self.of else 100


def of(job: Job) -> dict[str, Any]:
    """What the page says of it: `{state, tone, words, is_final, progress, result, error}`."""
    state = State(job.state)
    return {
        "state": state,
        "tone": _TONES.get(state, "waits"),
        "words": WORDS[state],
        "is_final": job.is_final,
        "progress": None if job.is_final else _progress(presentable.loads(job.progress)),
        "result": presentable.loads(job.result) if state == State.SUCCEEDED else None,
        "error": failures.of(job),
    }


def _progress(told: Any) -> Progress | None:
    """Of a task that tells `{done, of}`, as Warren's own do; other tasks' progress is on the job's page."""
    match told:
        case {"meta": {"done": int(done), "of": int(of)}}:
            return Progress(done=done, of=of)
    return None
