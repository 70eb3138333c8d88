"""The log of a process that runs short jobs by the batch: one write for their successes, not one for each.

Each line is a system call that wakes whoever collects the log: in profiles a fifth of a child's time. So what Celery's
tracer says below a warning (succeeded, retried, ignored) waits for the end of its batch, when that is stored. Any other
line is written at once, and those that wait before it.

    the process dies   the batch's last lines are not written; its jobs come back

Owner: the process; logging's own lock guards the lines.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# what a pipe takes whole, though other processes write to it as well: pipe(7), PIPE_BUF
WHOLE_BYTES = 4096
SUCCESSES = "celery.app.trace"

_handlers: list["Handler"] = []
_together = False


class Handler(logging.StreamHandler[Any]):
    """Writes to stderr, as logging's own."""

    def __init__(self, stream: Any = None) -> None:
        super().__init__(stream)
        self._waiting = ""
        _handlers.append(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line, or let it wait."""
        if not _together or record.name != SUCCESSES or record.levelno != logging.INFO:
            self.write_waiting()
            super().emit(record)
            return
        try:
            line = self.format(record) + self.terminator
        except Exception:  # noqa: BLE001  logging never raises
            self.handleError(record)
            return
        if _size(self._waiting) + _size(line) > WHOLE_BYTES:
            self.write_waiting()
        self._waiting += line

    def write_waiting(self) -> None:
        """Write the lines that wait; as all of logging, it raises nothing."""
        self.acquire()
        try:
            lines, self._waiting = self._waiting, ""
            if lines:
                self.stream.write(lines)
                self.flush()
        except Exception:  # noqa: BLE001  see above
            self.handleError(logging.makeLogRecord({"msg": "a batch's lines of successes"}))
        finally:
            self.release()


def _size(text: str) -> int:
    return len(text.encode(errors="replace"))


@contextmanager
def of_successes_together() -> Iterator[None]:
    """Let Celery's lines about successes wait for the end of the block."""
    global _together  # noqa: PLW0603  a child runs one batch at a time
    _together = True
    try:
        yield
    finally:
        _together = False
        for handler in _handlers:
            handler.write_waiting()
