"""The two things that people do to jobs, one or many: by which service, to which states, in which words."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from warren.delivery import retry as retrying
from warren.delivery.history import Actor
from warren.delivery.states import OPEN, State
from warren.jobs import cancel as cancelling
from warren.jobs.cancel import Stops


@dataclass(frozen=True, kw_only=True)
class Result:
    """Ids that were changed; for each of the others why not; and what is to be said of the changed ones."""

    changed: list[str]
    refused: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Step:
    """`states` are those that a filter means which names none, `allowed` those that it may name."""

    verb: str
    done: str
    consequence: str
    states: tuple[State, ...]
    allowed: tuple[State, ...]
    do: Callable[[Iterable[str], Actor, str], Result]


def _retry(job_ids: Iterable[str], by: Actor, reason: str) -> Result:
    outcome = retrying.retry(job_ids, by=by, reason=reason)
    return Result(changed=outcome.retried, refused=outcome.refused)


def _cancel(job_ids: Iterable[str], by: Actor, reason: str) -> Result:
    outcome = cancelling.cancel_all(job_ids, by=by, reason=reason)
    slow = sum(stops in (Stops.AT_NEXT_CHECK, Stops.UNKNOWN) for stops in outcome.cancelled.values())
    note = f"The work of {slow} may go on for a while, in vain: its worker cannot stop it from outside." if slow else ""
    return Result(changed=list(outcome.cancelled), refused=outcome.refused, note=note)


RETRY = Step(
    verb="retry",
    done="put back into its queue",
    consequence="They go back to their queues at once. Attempts count on, and the history keeps how each had ended.",
    states=(State.FAILED, State.DEAD),
    allowed=retrying.RETRYABLE,
    do=_retry,
)
CANCEL = Step(
    verb="cancel",
    done="cancelled",
    consequence="Waiting jobs never start; running ones are stopped, and what they return is ignored.",
    states=OPEN,
    allowed=OPEN,
    do=_cancel,
)
STEPS = {step.verb: step for step in (RETRY, CANCEL)}
