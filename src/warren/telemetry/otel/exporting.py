"""Sends spans to the collector, beside the work and never in its way.

    a span ends            it waits in a queue of MOST_WAITING; over that it is dropped, and counted
    every SEND_EVERY_S     or as soon as a batch is full, a thread sends what waits
    collector away         the thread tries for the exporter's timeout, drops that batch, and goes on; the queue takes
                           what comes meanwhile, and then drops
    spans were dropped     once a minute a line says how many, and why the last ones were
    the process ends       `stop` waits for the thread as long as it is told, no longer

Owner: the thread, which under gevent and eventlet is a greenlet: it waits for the network without holding up others. A
daemon: it keeps no process from its end.
"""

import logging
import threading
import time
from collections import deque
from typing import override

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

MOST_WAITING = 4096  # some 8 MB
LARGEST_BATCH = 512
SEND_EVERY_S = 1.0
SAY_EVERY_S = 60.0

# what the exporter says of itself, for each attempt
_EXPORTERS_LOG = "opentelemetry.exporter.otlp.proto.http.trace_exporter"

log = logging.getLogger(__name__)


class BoundedExport(SpanProcessor):
    """See the module's docstring. `dropped` counts from the start of the process."""

    def __init__(
        self, exporter: SpanExporter, *, most_waiting: int = MOST_WAITING, say_every_s: float = SAY_EVERY_S
    ) -> None:
        self._exporter = exporter
        self._most_waiting = most_waiting
        self._say_every_s = say_every_s
        self._waiting: deque[ReadableSpan] = deque()
        self._wake = threading.Event()
        self._stopping = False
        self._said = 0
        self._said_at = float("-inf")
        self._heard = _LastWords()
        self.dropped = 0
        logging.getLogger(_EXPORTERS_LOG).addFilter(self._heard)
        self._thread = threading.Thread(target=self._run, name="spans", daemon=True)
        self._thread.start()

    @override
    def on_end(self, span: ReadableSpan) -> None:
        if span.context is None or not span.context.trace_flags.sampled:
            return
        if self._stopping or len(self._waiting) >= self._most_waiting:
            self.dropped += 1
            return
        self._waiting.append(span)
        if len(self._waiting) >= LARGEST_BATCH:
            self._wake.set()

    def stop(self, *, timeout_s: float) -> None:
        """Send what waits, and give up on what is not sent by then."""
        self._stopping = True
        self._wake.set()
        self._thread.join(timeout_s)
        self._exporter.shutdown()  # ends the exporter's own wait between two attempts
        self.dropped += len(self._waiting)
        self._waiting.clear()
        self._say(at_once=True)
        logging.getLogger(_EXPORTERS_LOG).removeFilter(self._heard)

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(SEND_EVERY_S)
            self._wake.clear()
            self._send_waiting()
            self._say()
        self._send_waiting()

    def _send_waiting(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(LARGEST_BATCH, len(self._waiting)))]
            if not self._send(batch):
                self.dropped += len(batch)
                return

    def _send(self, batch: list[ReadableSpan]) -> bool:
        try:
            return self._exporter.export(batch) is SpanExportResult.SUCCESS
        except Exception as exc:  # noqa: BLE001  nothing that befalls a span may end the thread
            self._heard.last = repr(exc)
            return False

    def _say(self, *, at_once: bool = False) -> None:
        unsaid = self.dropped - self._said
        if unsaid and (at_once or time.monotonic() - self._said_at >= self._say_every_s):
            why = self._heard.last or f"more than {self._most_waiting} waited"
            log.warning("%d spans were dropped, jobs go on: %s", unsaid, why)
            self._said, self._said_at = self.dropped, time.monotonic()


class _LastWords(logging.Filter):
    """Keeps what the exporter says for our own line, which comes once a minute and not at each attempt."""

    last = ""

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        self.last = record.getMessage()
        return False
