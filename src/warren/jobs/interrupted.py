"""How a command ends that is interrupted: with the exit code of the signal that says so, and without a traceback.

128 and the signal's number, as shells report a process that a signal has ended: 130 for Ctrl-C, 141 when nobody reads
the pipe any more. SIGTERM, 143, is `manage.py`'s own.
"""

import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

INTERRUPTED = 128 + signal.SIGINT
CLOSED_PIPE = 128 + signal.SIGPIPE


@contextmanager
def quietly() -> Iterator[None]:
    """Leave as the signal would have it: raises `SystemExit`."""
    try:
        yield
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Python writes what is left once more at its exit, and would complain
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(CLOSED_PIPE)


def raise_if_closed(out: Any) -> None:
    """Raises `BrokenPipeError` if nobody reads this stream any more: who has nothing to write would not notice."""
    try:
        number = out.fileno()
    except (AttributeError, OSError, ValueError):
        return  # no file: a test's own
    poll = select.poll()
    poll.register(number, 0)  # errors alone
    if poll.poll(0):
        raise BrokenPipeError
