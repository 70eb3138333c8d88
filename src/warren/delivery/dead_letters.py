"""What RabbitMQ gave up on: messages that were handed out too often without an answer.

RabbitMQ moves them to the queue `dead` (`topology.py`). The relay takes each from there and only then acks. Its job
counts a loss and is sent again, or, at the limit, is made dead with the reason: a long outage of Postgres gives
messages back again and again and is no reason to give up a job; a job that kills its workers is.

    relay dies before the ack   the message is delivered again; one loss too many is counted
    the job is final            cancelled, or finished by its last delivery: the message is dropped
    the job cannot be ended     logged; the message is dropped, and the reconciler finds the job
    no such job                 somebody else's message: logged, with its headers, and dropped
"""

import logging
from typing import Any

from django.db import transaction

from warren.delivery import losses
from warren.delivery.models import Job

log = logging.getLogger(__name__)


def bury(message: Any) -> None:
    """Count the loss of one dead message's job. `message` is kombu's, from the queue `dead`; it is not acked here."""
    job_id, reason = str(message.headers.get("id") or ""), _reason(message.headers)
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=job_id).first()
        if job is None:
            log.error("a dead message belongs to no job (%s): %s", reason, message.headers)
        elif not job.is_final:
            losses.try_to_count(job, reason=reason)


def _reason(headers: dict[str, Any]) -> str:
    """From the header that RabbitMQ adds: https://www.rabbitmq.com/docs/dlx#effects."""
    deaths = headers.get("x-death") or [{}]
    cause, queue = deaths[0].get("reason", "unknown"), deaths[0].get("queue", "unknown")
    if cause == "delivery_limit":
        return f"given up: its workers were lost each time that queue {queue!r} delivered it (delivery limit)"
    return f"RabbitMQ gave up on it in queue {queue!r}: {cause}"
