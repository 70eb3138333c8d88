"""Why a job failed, out of the exception that Celery stored as JSON."""

from celery import states as celery_states

from warren.delivery.models import Job
from warren.jobs import presentable


def of(job: Job) -> dict[str, str] | None:
    """`{type, message, traceback}` of a job that failed; None for any other."""
    if job.celery_state != celery_states.FAILURE:
        return None
    stored = presentable.loads(job.result) or {}
    return {
        "type": stored.get("exc_type") or "",
        "message": _message(stored.get("exc_message")),
        "traceback": job.traceback,
    }


def _message(arguments: object) -> str:
    """Celery stores an exception's arguments; most have one, the message."""
    match arguments:
        case None:
            return ""
        case list():
            return ", ".join(str(each) for each in arguments)
    return str(arguments)
