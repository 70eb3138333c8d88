"""Finds out that the broker has lost everything that it was given, and gives it all again.

The relay leaves a mark in the broker under a random name, and keeps the name in Postgres. It looks for the mark before
the first pass of every connection, and now and then.

    there       the broker is the one that was given the queued jobs, with its data
    missing     1. send every job again that the broker was given
                2. leave a new mark
                3. note its name in Postgres

    relay dies in 1 or 2      the mark is still missing: whoever looks next begins anew. Some jobs are then sent twice;
                              the claim lets one delivery run. The other order would lose those that were not reached
    relay dies before 3       the same: Postgres knows a mark that is not there
    two relays look           one gets the lock; the other goes on with its passes, and looks again later
    Postgres is a backup      it names an older mark, so everything queued is sent again: right, and harmless
    another broker is used    it has no mark: right again
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import batched
from uuid import uuid4

from django.db import connection

from warren.delivery import outbox
from warren.delivery.models import BrokerMark, Job
from warren.delivery.publisher import Publisher
from warren.delivery.reconciler import GIVEN
from warren.delivery.states import in_states

BATCH = 1000  # jobs a transaction
THE_ONLY_ROW = 1

_ONE_AT_A_TIME = 7_237_002  # any number, the same in every relay

log = logging.getLogger(__name__)


def make_good(broker: Publisher, *, on_batch: Callable[[], None]) -> int:
    """Send again what a wiped broker was given; returns how many jobs. `on_batch` is called after each thousand.

    Raises what the broker raises, `BrokerError`.
    """
    if _is_marked(broker):
        return 0
    with _our_turn() as ours:
        if not ours or _is_marked(broker):  # another relay is at it, or was
            return 0
        count = _send_all_again(on_batch)
        name = uuid4().hex
        broker.leave_mark(name)
        BrokerMark.objects.update_or_create(pk=THE_ONLY_ROW, defaults={"name": name})
    log.warning("the broker did not know us: it is new, or has lost its data; %s jobs are sent again", count)
    return count


def _is_marked(broker: Publisher) -> bool:
    mark = BrokerMark.objects.filter(pk=THE_ONLY_ROW).first()
    return mark is not None and broker.has_mark(mark.name)


def _send_all_again(on_batch: Callable[[], None]) -> int:
    count = 0
    # what is queued from now on was given to the broker as it is now
    given = Job.objects.filter(in_states(*GIVEN), queued_at__isnull=False).order_by("queued_at", "created_at")
    for job_ids in batched(given.values_list("pk", flat=True).iterator(chunk_size=BATCH), BATCH, strict=False):
        count += len(outbox.send_again(job_ids, states=GIVEN))
        on_batch()
    return count


@contextmanager
def _our_turn() -> Iterator[bool]:
    """A lock of this session, not of a transaction: each batch is committed on its own."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_ONE_AT_A_TIME])
        ours = bool(cursor.fetchone()[0])
    try:
        yield ours
    finally:
        if ours and connection.connection is not None and not connection.connection.broken:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_ONE_AT_A_TIME])
