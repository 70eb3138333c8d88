"""How far a running task says it is."""

from dataclasses import dataclass
from typing import Any

from warren.delivery.models import Job
from warren.jobs import presentable

# `self.update_state(meta={"done": 3, "of": 5})`, and what users of other tools are used to
_DONE, _ALL = ("done", "current"), ("of", "total")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """`percent` is None for a task that tells no numbers; `words` is what it tells."""

    percent: int | None
    words: str


def of(job: Job) -> Progress | None:
    """What the job last told; None if it never did."""
    told: Any = presentable.loads(job.progress)
    if not isinstance(told, dict):
        return None
    meta = told.get("meta")
    if not isinstance(meta, dict):
        return Progress(percent=None, words=f"{told.get('state')} {'' if meta is None else meta}".strip())
    done, whole = _first(meta, _DONE), _first(meta, _ALL)
    if done is not None and whole:
        return Progress(percent=round(100 * min(max(done / whole, 0), 1)), words=f"{done:g} of {whole:g}")
    percent = _first(meta, ("percent",))
    if percent is not None:
        return Progress(percent=round(min(max(percent, 0), 100)), words=f"{percent:g} %")
    return Progress(percent=None, words=", ".join(f"{name}: {value}" for name, value in meta.items()))


def _first(meta: dict[str, Any], names: tuple[str, ...]) -> float | None:
    numbers = (meta[name] for name in names if isinstance(meta.get(name), int | float))
    return next(numbers, None)
