"""What RabbitMQ gave up on: messages that were handed out too often without an answer.

RabbitMQ moves them to the queue `dead` (`topology.py`). The relay takes each from there, makes its job dead with the
reason, and only then acks: nothing rots unseen, and a job that kills its workers ends.

    relay dies before the ack   the message is delivered again; the job is dead already, nothing changes
    the job is final            cancelled, or finished by its last delivery: the message is dropped
    no such job                 somebody else's message: logged, with its headers, and dropped
"""

import json
import logging
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from warren.delivery import history
from warren.delivery.models import Job
from warren.delivery.states import FINAL, State

log = logging.getLogger(__name__)


def bury(message: Any) -> None:
    """Make the job of one dead message dead. `message` is kombu's, from the queue `dead`; it is not acked here."""
    job_id = str(message.headers.get("id") or "")
    reason = _reason(message.headers)
    result = json.dumps({"exc_type": "DeadLetter", "exc_message": [reason], "exc_module": "warren.delivery.errors"})
    if _make_dead(job_id, result=result, reason=reason):
        log.error("job %s is dead: %s", job_id, reason)
    elif not Job.objects.filter(pk=job_id).exists():
        log.error("a dead message belongs to no job (%s): %s", reason, message.headers)


def _make_dead(job_id: str, *, result: str, reason: str) -> bool:
    with transaction.atomic():
        open_job = Job.objects.filter(pk=job_id).exclude(state__in=FINAL)
        if not open_job.update(state=State.DEAD, result=result, traceback=reason, finished_at=Now()):
            return False
        history.record([job_id], kind=history.DEAD, reason=reason)
        return True


def _reason(headers: dict[str, Any]) -> str:
    """From the header that RabbitMQ adds: https://www.rabbitmq.com/docs/dlx#effects."""
    deaths = headers.get("x-death") or [{}]
    cause, queue = deaths[0].get("reason", "unknown"), deaths[0].get("queue", "unknown")
    if cause == "delivery_limit":
        return f"given up: its workers were lost each time that queue {queue!r} delivered it (delivery limit)"
    return f"RabbitMQ gave up on it in queue {queue!r}: {cause}"
