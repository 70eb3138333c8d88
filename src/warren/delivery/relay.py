"""Moves the outbox to RabbitMQ.

A pass, in one transaction:
  1. lock a batch of due messages that no other relay holds (any number of relays may run); put off those that must
     not go out together (`suspects.py`)
  2. drop those whose job is final or has expired meanwhile
  3. publish the rest, pipelined, and wait for RabbitMQ's confirms
  4. delete exactly what was confirmed, and mark those jobs queued; note the reason on every other row

    relay dies before 3    the locks go with its connection; another relay takes the rows
    relay dies in 3 or 4   some messages are published twice; the claim lets one of them run
    RabbitMQ away          the rows stay, with the reason; the relay backs off and connects again
    RabbitMQ wiped         seen before the first pass of a new connection: what it was given is sent again (`wipe.py`)
    Postgres away          the relay backs off; nothing was deleted
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

import psycopg
from celery import Celery
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Min
from django.db.models.functions import Now

from warren.delivery import dead_letters, expiry, reconciler, suspects, wipe
from warren.delivery.models import Job, OutboxMessage
from warren.delivery.outbox_rows import CHANNEL
from warren.delivery.publisher import BrokerError
from warren.delivery.publisher_choice import publisher_for
from warren.delivery.states import FINAL, State
from warren.delivery.topology import DEAD_LETTER_QUEUE

BATCH = 500  # a pass holds its locks for about as many tenths of a millisecond
LONGEST_WAIT_S = 1.0  # how late a lost notification can make a message; also how often the heartbeat is shown
SHORTEST_WAIT_S = 0.05  # rows that another relay holds look due: without this we would spin until it lets go
RECONCILE_EVERY_S = 10.0
FIRST_BACK_OFF_S = 0.2
LONGEST_BACK_OFF_S = 10.0
ROW_BACK_OFF_S = 10  # a refused message does not stop the others; it is tried again after this

log = logging.getLogger(__name__)


class Relay:
    """`run()` until `stop()`; both may be called from different threads or a signal handler."""

    def __init__(self, app: Celery, *, on_pass: Callable[[], None]) -> None:
        """`on_pass` is called after every pass and every wait: the relay is alive."""
        self._publisher = publisher_for(app)
        self._on_pass = on_pass
        self._stopping = threading.Event()
        self._knows_broker = False  # whether it is the one that was given the queued jobs, and has them still
        self._reconciled_at = time.monotonic()

    def stop(self) -> None:
        """Finish the current pass, then return from `run`."""
        self._stopping.set()

    def run(self) -> None:
        """Pass after pass; waits for a notification or the next due time when there is nothing to do."""
        back_off_s = FIRST_BACK_OFF_S
        while not self._stopping.is_set():
            try:
                if not self._knows_broker:
                    self.look_for_wipe()
                moved = self.run_pass()
                if time.monotonic() - self._reconciled_at > RECONCILE_EVERY_S:
                    self.reconcile()
                if not moved:
                    self._wait_for_work()
                back_off_s = FIRST_BACK_OFF_S
            except (BrokerError, OperationalError, InterfaceError, psycopg.Error) as exc:
                log.warning("relay backs off for %.1f s: %s", back_off_s, exc)
                self.close()
                connection.close()
                self._stopping.wait(back_off_s)
                back_off_s = min(back_off_s * 2, LONGEST_BACK_OFF_S)
                # whatever was away may have been away for workers too: first let them renew their leases
                self._reconciled_at = time.monotonic()
            self._on_pass()
        self.close()

    def close(self) -> None:
        """Drop the connection to RabbitMQ; it is opened again when needed."""
        self._knows_broker = False
        self._publisher.close()

    def look_for_wipe(self) -> None:
        """Send again what the broker was given, if it has lost everything since."""
        wipe.make_good(self._publisher, on_batch=self._on_pass)
        self._knows_broker = True

    def reconcile(self) -> None:
        """Make jobs dead that RabbitMQ gave up on, and put those that it lost back into the outbox."""
        self._reconciled_at = time.monotonic()
        self.look_for_wipe()
        self._publisher.drain(DEAD_LETTER_QUEUE, handle=dead_letters.bury)
        reconciler.run(self._publisher.messages_ready, now=_now())

    def run_pass(self) -> int:
        """Move one batch; returns how many rows left the outbox. Raises `BrokerError` when RabbitMQ is away."""
        with transaction.atomic():
            due = list(
                OutboxMessage.objects.select_related("job")
                .select_for_update(skip_locked=True, of=("self",))
                .filter(available_at__lte=Now())
                .order_by("available_at", "id")[:BATCH]
            )
            due = suspects.let_out(due)
            if not due:
                return 0
            unwanted = _settle_unwanted(due)
            wanted = [message for message in due if message.job_id not in unwanted]
            refused = self._publisher.publish(wanted)
            confirmed = [message for message in wanted if message.pk not in refused]
            _mark_queued(confirmed)
            _note(refused)
            gone = [message.pk for message in due if message.pk not in refused]
            OutboxMessage.objects.filter(pk__in=gone).delete()
        return len(gone)

    def _wait_for_work(self) -> None:
        connection.ensure_connection()
        driver: Any = connection.connection
        driver.execute(f"LISTEN {CHANNEL}")
        # a message that was committed between the pass and LISTEN was not announced to us
        next_due = OutboxMessage.objects.aggregate(at=Min("available_at"))["at"]
        wait_s = LONGEST_WAIT_S if next_due is None else (next_due - _now()).total_seconds()
        for _ in driver.notifies(timeout=max(SHORTEST_WAIT_S, min(wait_s, LONGEST_WAIT_S)), stop_after=1):
            pass


def _settle_unwanted(due: list[OutboxMessage]) -> set[str]:
    """Jobs among these that need no message any more: those past their expiry become expired here."""
    wanted = [message.job_id for message in due]
    expiry.settle(wanted)
    return set(Job.objects.filter(pk__in=wanted, state__in=FINAL).values_list("pk", flat=True))


def _now() -> datetime:
    """Postgres' time: this machine's clock may be wrong."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        return cast("datetime", cursor.fetchone()[0])


def _mark_queued(messages: list[OutboxMessage]) -> None:
    jobs = Job.objects.filter(pk__in=[message.job_id for message in messages])
    jobs.filter(state=State.ACCEPTED).update(state=State.QUEUED, queued_at=Now())
    # a retry is known as such until its next attempt starts
    jobs.filter(state=State.RETRYING).update(queued_at=Now())


def _note(refused: dict[int, str]) -> None:
    for pk, reason in refused.items():
        log.error("message %s was refused: %s", pk, reason)
        OutboxMessage.objects.filter(pk=pk).update(
            failures=F("failures") + 1,
            last_error=reason,
            available_at=Now() + timedelta(seconds=ROW_BACK_OFF_S),
        )
