"""The jobs that make the calls. They belong to the owner of the job that is told of, who may see and cancel them."""

import logging
from datetime import datetime
from typing import Any

from celery import Task, shared_task
from django.utils import timezone

from apps.webhooks import deliveries
from apps.webhooks.errors import UndeliveredError
from apps.webhooks.models import Delivery
from warren.delivery import on_final

DELIVER = "webhooks.deliver"

log = logging.getLogger(__name__)


@shared_task(name=DELIVER, queue="io", bind=True, max_retries=None, throws=(UndeliveredError,))
def deliver(self: "Task[..., Any]", *, job_id: str, state: str, attempt: int, ended_at: str) -> dict[str, Any] | None:  # noqa: ARG001  `final_call` tells it
    """Tell a job's receiver how the job ended; the address is in the message's headers, where nobody looks."""
    request: Any = self.request
    url = getattr(request, on_final.VALUE)["url"]
    delivery = deliveries.first(
        request.id, job_id=job_id, state=state, ended_at=datetime.fromisoformat(ended_at), url=url
    )
    if delivery is None:
        log.info("job %s has been deleted; nobody is told of its end", job_id)
        return None
    return _attempt(self, delivery)


@shared_task(name="webhooks.redeliver", queue="io", bind=True, max_retries=None, throws=(UndeliveredError,))
def redeliver(self: "Task[..., Any]", delivery_id: str) -> dict[str, Any] | None:
    """Make a call once more."""
    delivery = Delivery.objects.select_related("job").filter(pk=delivery_id).first()
    return _attempt(self, delivery) if delivery else None


def _attempt(task: "Task[..., Any]", delivery: Delivery) -> dict[str, Any] | None:
    """Raises Celery's `Retry`, and `UndeliveredError` when the time for that is over."""
    if delivery.delivered_at is not None:
        return None  # another job of this delivery has done it
    answer = deliveries.attempt(delivery, now=timezone.now())
    if answer.is_taken:
        return {"status": answer.status, "attempts": task.request.retries + 1}
    error = UndeliveredError(answer.reason)
    pause_s = deliveries.pause_s(answer, retries=task.request.retries, now=timezone.now())
    if pause_s is None:
        raise error
    raise task.retry(exc=error, countdown=pause_s)
