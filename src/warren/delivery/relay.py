"""Moves the outbox to RabbitMQ.

A pass, in one transaction:
  1. lock a batch of due messages that no other relay holds (any number of relays may run); put off those that must
     not go out together (`suspects.py`)
  2. drop those whose job is final or has expired meanwhile
  3. publish the rest, pipelined, and wait for RabbitMQ's confirms
  4. delete exactly what was confirmed, and mark those jobs queued; note the reason on every other row

    relay dies before 3    the locks go with its connection; another relay takes the rows
    relay dies in 3 or 4   some messages are published twice; the claim lets one of them run
    much comes             passes begin further apart (`relay_pace.py`), so that one moves what would else be many
    RabbitMQ away          the rows stay, with the reason; the relay backs off and connects again
    RabbitMQ wiped         seen before the first pass of a new connection: what it was given is sent again (`wipe.py`)
    Postgres away          the relay backs off; nothing was deleted
    a job cannot be ended  its message is put off with the reason; the others go on (`savepoint.py`)
    a defect               logged with its traceback; the relay backs off, and is not shown alive until a pass goes well
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

import psycopg
from celery import Celery
from django.db import InterfaceError, OperationalError, connection, transaction

from warren.delivery import dead_letters, due_rows, reconciler, relay_metrics, suspects, wipe
from warren.delivery.outbox_rows import CHANNEL
from warren.delivery.publisher import BrokerError
from warren.delivery.publisher_choice import publisher_for
from warren.delivery.relay_pace import Pace
from warren.delivery.topology import DEAD_LETTER_QUEUE
from warren.telemetry import tracing

# How late a lost notification, or a row that another relay let go, can be; also how often the heartbeat is shown.
LONGEST_WAIT_S = 1.0
RECONCILE_EVERY_S = 10.0
FIRST_BACK_OFF_S = 0.2
LONGEST_BACK_OFF_S = 10.0

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
        self._passed_at = 0.0
        self._pace = Pace()
        self._wait_s = 0.0  # until there may be something to do, as the last pass saw it
        self._heard: Any = None  # the connection that hears of new rows

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
                self._listen()
                self._pace.note(self.run_pass())
                if time.monotonic() - self._reconciled_at > RECONCILE_EVERY_S:
                    self.reconcile()
                self._wait_for_work()
                back_off_s = FIRST_BACK_OFF_S
            except (BrokerError, OperationalError, InterfaceError, psycopg.Error) as exc:
                log.warning("relay backs off for %.1f s: %s", back_off_s, exc)
                back_off_s = self._back_off(back_off_s)
            except Exception:
                log.exception("relay backs off for %.1f s", back_off_s)
                back_off_s = self._back_off(back_off_s)
                continue
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
        reconciler.run(self._publisher.waiting_since, now=_now())

    def run_pass(self) -> int:
        """Move one batch; returns how many rows left the outbox. Raises `BrokerError` when RabbitMQ is away."""
        self._passed_at = time.monotonic()
        with transaction.atomic():
            rows = due_rows.lock_soon_due(within_s=LONGEST_WAIT_S)
            due = [row for row in rows if row.available_at <= row.now]
            self._wait_s = due_rows.until_next(rows, due, longest_s=LONGEST_WAIT_S)
            let_out = suspects.let_out(due)
            if len(let_out) < len(due):
                self._wait_s = min(self._wait_s, suspects.LOOK_AGAIN_AFTER.total_seconds())
            due = let_out
            if not due:
                relay_metrics.passed([], refused=0, took_s=0.0)
                return 0
            unwanted, put_off = due_rows.settle_unwanted(due)
            wanted = [message for message in due if message.job_id not in unwanted and message.pk not in put_off]
            begun_ns = time.time_ns()
            refused = put_off | self._publisher.publish(wanted, at=rows[0].now)
            if tracing.active is not None:
                tracing.active.sent(due_rows.as_sent(wanted, refused), since_ns=begun_ns)
            due_rows.note(refused)
            gone = [message for message in due if message.pk not in refused]
            sent = [message for message in gone if message.job_id not in unwanted]
            due_rows.close(gone, queued=[message.job_id for message in sent])
        relay_metrics.passed(sent, refused=len(refused), took_s=time.monotonic() - self._passed_at)
        return len(gone)

    def _back_off(self, wait_s: float) -> float:
        """Drop both connections and wait; returns how long to wait if the next pass fails too."""
        relay_metrics.BACK_OFFS.inc()
        self.close()
        connection.close()
        self._stopping.wait(wait_s)
        # whatever was away may have been away for workers too: first let them renew their leases
        self._reconciled_at = time.monotonic()
        return min(wait_s * 2, LONGEST_BACK_OFF_S)

    def _listen(self) -> None:
        """Hear of rows that are added from now on, also while a pass runs: psycopg keeps what comes meanwhile."""
        connection.ensure_connection()
        driver: Any = connection.connection
        if self._heard is not driver:
            driver.execute(f"LISTEN {CHANNEL}")
            self._heard = driver

    def _wait_for_work(self) -> None:
        if self._wait_s:
            for _ in self._heard.notifies(timeout=self._wait_s, stop_after=1):
                pass
        self._stopping.wait(max(0.0, self._passed_at + self._pace.every_s - time.monotonic()))


def _now() -> datetime:
    """Postgres' time: this machine's clock may be wrong."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        return cast("datetime", cursor.fetchone()[0])
