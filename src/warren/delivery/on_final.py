"""What a job wants to be sent when it becomes final: the option that asks for it, and the header that keeps it.

`final_call.py` sends it.

It travels in a header of the job's message, so that a job which wants nothing costs nothing: no query, no column. An
app offers the option:

    on_final.offer("callback_url", task="webhooks.deliver", check=callback_urls.checked)
"""

import logging
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from warren.delivery.errors import UnknownOptionError

HEADER = "on_final"  # of the job: {"task": its name, "value": what the option's check made of the caller's}
VALUE = "on_final_value"  # of the task that is sent: the value, which is neither an argument nor shown as one

type Wanted = Mapping[str, Any]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Offer:
    task: str
    check: Callable[[Any], Any]


_offers: dict[str, _Offer] = {}


def offer(option: str, *, task: str, check: Callable[[Any], Any]) -> None:
    """Make it an option of `apply_async`, `send_task` and signatures.

    `check` gives the value as JSON, or raises for a bad one. The task is called with `job_id`, `state`, `attempt` and
    `ended_at` by name, and finds the value in its request's header `VALUE`.
    """
    _offers[option] = _Offer(task, check)


def check(option: str, value: Any) -> None:
    """Raise what sending a job with this option would. `UnknownOptionError` if no app offers it."""
    if option not in _offers:
        raise UnknownOptionError(f"no app of this installation offers {option!r}")
    _offers[option].check(value)


def take_from(options: MutableMapping[str, Any]) -> Wanted | None:
    """Take the offered option, if there is one, out of those of a call; returns the header's value."""
    for option, offered in _offers.items():
        if option in options and (value := options.pop(option)) is not None:
            return {"task": offered.task, "value": offered.check(value)}
    return None


def wanted_by(request: object) -> Wanted | None:
    """What the job of this request wants; the request may be that of a chain's step which will never be sent."""
    wanted: Wanted | None = getattr(request, HEADER, None)
    if wanted is None and (asked := {name: getattr(request, name) for name in _offers if hasattr(request, name)}):
        return of_step(asked)
    return wanted


def of_step(options: Mapping[str, Any]) -> Wanted | None:
    """What a step of a canvas wants by its options, which nobody has checked yet: a bad one is logged, and nothing."""
    if wanted := (options.get("headers") or {}).get(HEADER):
        return dict(wanted)
    try:
        return take_from(dict(options))
    except Exception as exc:  # noqa: BLE001  what the caller should have been told must not keep other jobs from ending
        log.warning("a job that was never sent, and has failed, is not told of: %s", exc)
        return None


def hand_on(replacement: Any, *, request: Any) -> None:
    """Let the step of the replacement that has the job's id want what the job wants."""
    wanted = wanted_by(request)
    if wanted and (step := _with_id(replacement, request.id)):
        step.set(headers={**(step.options.get("headers") or {}), HEADER: wanted})


def _with_id(signature: Any, job_id: str) -> Any:
    match signature.get("subtask_type"):
        case "chord":
            return _with_id(signature["kwargs"]["body"], job_id)
        case "chain" | "group":
            found = (_with_id(step, job_id) for step in signature["kwargs"]["tasks"])
            return next(filter(None, found), None)
    return signature if signature["options"].get("task_id") == job_id else None
