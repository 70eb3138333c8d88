"""Finds jobs that RabbitMQ was given and no longer has, and sends them again.

A job is taken for lost when it was queued for longer than LOST_AFTER and its queue has no message ready. Wrong guesses
are harmless: messages that a worker has fetched ahead are not ready either, so such a job may be sent twice, and the
claim lets one delivery run it. A guess is repeated after LOST_AFTER at the earliest, never while messages are ready.

    queue wiped, or broker without its disk   every waiting job is found once the queue exists again and is empty
    another relay reconciles                  one at a time: whoever gets the lock
    relay dies                                nothing is half done: one transaction
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection, transaction

from warren.delivery import outbox
from warren.delivery.models import Job
from warren.delivery.states import State

LOST_AFTER = timedelta(seconds=60)
BATCH = 1000
GIVEN = (State.QUEUED, State.RETRYING)  # states of a job whose message is with the broker, if `queued_at` is set

_ONE_AT_A_TIME = 7_237_001  # any number, the same in every relay

log = logging.getLogger(__name__)


def run(messages_ready: Callable[[str], int | None], *, now: datetime) -> list[str]:
    """Send lost jobs again; returns their ids. `messages_ready` counts a queue's messages, None if it cannot tell."""
    with transaction.atomic():
        if not _is_our_turn():
            return []
        overdue = Job.objects.filter(state__in=GIVEN, queued_at__lt=now - LOST_AFTER)
        lost: list[str] = []
        for queue in overdue.values_list("queue", flat=True).distinct().order_by("queue"):
            if messages_ready(queue) == 0:
                oldest = overdue.filter(queue=queue).order_by("queued_at").values_list("pk", flat=True)[:BATCH]
                lost += outbox.send_again(oldest, states=GIVEN)
    if lost:
        log.warning("%s jobs were not in RabbitMQ any more and are sent again", len(lost))
    return lost


def _is_our_turn() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_ONE_AT_A_TIME])
        return bool(cursor.fetchone()[0])
