"""What time it is, for all beats alike: Postgres' time.

Two containers' clocks may differ by an hour; the one that a tick's time is written to and compared with cannot differ
from itself. It is read whenever the leader renews its claim, and carried on between two readings by the monotonic
clock, which nobody sets, and which goes on while the process is frozen.
"""

import logging
import time
from datetime import UTC, datetime, timedelta

WORTH_A_WARNING = timedelta(seconds=5)

log = logging.getLogger(__name__)


class Clock:
    """This machine's time until `set` is first called."""

    def __init__(self) -> None:
        self._warned = False
        self._reading, self._read_at = datetime.now(UTC), time.monotonic()

    def set(self, moment: datetime) -> None:
        """Postgres says that it is this moment; warns, once, of a machine whose own clock says otherwise."""
        self._reading, self._read_at = moment.astimezone(UTC), time.monotonic()
        ahead = datetime.now(UTC) - self._reading
        if abs(ahead) > WORTH_A_WARNING and not self._warned:
            self._warned = True
            log.warning("this machine's clock is %.0f s ahead of Postgres', whose counts", ahead.total_seconds())

    def now(self) -> datetime:
        """The time, in UTC."""
        return self._reading + timedelta(seconds=time.monotonic() - self._read_at)
