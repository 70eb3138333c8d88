"""Why a job failed, out of the exception that Celery stored as JSON."""

from celery import states as celery_states

from warren.delivery.models import Job, JobEvent
from warren.delivery.states import TO_CELERY, State
from warren.jobs import presentable


def of(ended: Job | JobEvent) -> dict[str, str] | None:
    """`{type, message, traceback}` of a job that failed, or had when the event was noted; None for any other."""
    if TO_CELERY[State(ended.state)] != celery_states.FAILURE:
        return None
    stored = presentable.loads(ended.result) or {}
    return {
        "type": stored.get("exc_type") or "",
        "message": _message(stored.get("exc_message")),
        "traceback": ended.traceback,
    }


def _message(arguments: object) -> str:
    """Celery stores an exception's arguments; most have one, the message."""
    match arguments:
        case None:
            return ""
        case list():
            return ", ".join(str(each) for each in arguments)
    return str(arguments)
