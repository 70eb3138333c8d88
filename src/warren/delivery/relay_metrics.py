"""What the relay counts."""

from collections.abc import Sequence
from typing import Any

from prometheus_client import Counter, Gauge, Histogram

from warren.delivery.states import State
from warren.metrics import instruments, labels, recording
from warren.metrics.tally import Tally

LAG = Histogram(
    "warren_relay_lag_seconds",
    "From the moment a message was due to the broker's confirmation.",
    ["queue"],
    buckets=instruments.WAIT_BUCKETS_S,
)
PASSED_AT = Gauge("warren_relay_passed_timestamp_seconds", "When the relay's last good pass ended, by its own clock.")
BACK_OFFS = Counter("warren_relay_back_offs", "Times that the relay backed off: broker or Postgres away, or a defect.")
REFUSED = Counter("warren_relay_refused", "Messages that stayed in the outbox with a reason.")

_lags = Tally(LAG, bound=lambda queue: (labels.queue(queue),))


def passed(sent: Sequence[Any], *, refused: int, took_s: float) -> None:
    """A pass was committed: these outbox rows, with their jobs and Postgres' time at its beginning, left the outbox."""
    PASSED_AT.set_to_current_time()
    if refused:
        REFUSED.inc(refused)
    if not sent:
        return
    recording.changed([(row.job.task, row.job.queue) for row in sent], state=State.QUEUED)
    for row in sent:
        _lags.note(row.job.queue, seconds=(row.now - row.available_at).total_seconds() + took_s)
    _lags.flush()
