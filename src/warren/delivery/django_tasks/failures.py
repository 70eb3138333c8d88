"""How a job ended without success, as Django's `TaskError`."""

import json

from django.tasks.base import TaskError

from warren.delivery.django_tasks import errors
from warren.delivery.models import Job, JobEvent
from warren.delivery.states import State

# For endings that no exception of the task brought about.
_ENDINGS = {
    State.CANCELLED: errors.JobCancelledError,
    State.EXPIRED: errors.JobExpiredError,
    State.DEAD: errors.JobLostError,
}


def of(ended: Job | JobEvent) -> TaskError:
    """The error of a job that failed, or of an end that the event keeps."""
    stored = json.loads(ended.result) if ended.result else None
    if stored and ended.state in (State.FAILED, State.DEAD):
        path = f"{stored['exc_module']}.{stored['exc_type']}"
        return TaskError(exception_class_path=path, traceback=ended.traceback)
    ending = _ENDINGS.get(State(ended.state), errors.JobLostError)
    when = f" ({ended.finished_at.isoformat()})" if ended.finished_at else ""
    path = f"{ending.__module__}.{ending.__qualname__}"
    return TaskError(exception_class_path=path, traceback=ended.traceback or f"{path}: {ending()}{when}")
