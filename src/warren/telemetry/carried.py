"""What a task message carries along, for whoever follows from it: the request's id and the trace."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from warren.telemetry import request_id, tracing


def along(headers: Mapping[str, Any], *, queue: str) -> dict[str, str]:
    """What to write over the headers of a new message, which are Celery's, with `id` and `task`."""
    told = {}
    if (request := request_id.current() or request_id.of_message(headers)) is not None:
        told[request_id.HEADER] = request
    if tracing.active is not None:
        told |= tracing.active.created(job_id=headers["id"], task=headers["task"], queue=queue)
    return told


@contextmanager
def continued(headers: Mapping[str, Any]) -> Iterator[None]:
    """In the block, be about the job of a message with these headers: what is sent and logged follows from it."""
    token = request_id.around.set(request_id.of_message(headers))
    try:
        with tracing.continued(headers):
            yield
    finally:
        request_id.around.reset(token)
