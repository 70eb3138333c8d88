"""What a line of log says of where it was written: the request, the job, the trace.

Asked when a line is written, so that a job that logs nothing pays nothing.
"""

from typing import Any

from celery import current_task

from warren.telemetry import request_id, tracing


def current() -> dict[str, Any]:
    """Ids, by their names in the log; those that there are."""
    told: dict[str, Any] = {}
    if (request := request_id.current()) is not None:
        told["request_id"] = request
    if current_task:
        told |= _of_job(current_task)
    if (ids := tracing.ids()) is not None:
        told["trace_id"], told["span_id"] = ids
    return told


def _of_job(task: Any) -> dict[str, Any]:
    request = task.request
    if request.id is None:
        return {}
    queue = (request.delivery_info or {}).get("routing_key")
    attempt = getattr(request, "job_attempt", None)
    return {
        "job_id": request.id,
        "task": task.name,
        **({"queue": queue} if queue else {}),
        **({"attempt": attempt} if attempt else {}),
    }
