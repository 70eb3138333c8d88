"""What one stream has still to send.

    waiting   nothing to send
    ready     events wait; of a job that changes faster than the reader reads, each state waits once, with its latest
              progress; of one in a list the latest alone, and a list that falls behind by too many jobs is told to load
              itself anew
    ended     nothing follows the last event, which says why

Owner: the event loop. The hub puts in, the stream takes out; neither waits for the other.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from warren.delivery.states import OPEN, State
from warren.jobs import passed
from warren.jobs.live.changes import MOST_STATES
from warren.jobs.live.following import Following
from warren.jobs.live.snapshots import Snapshot

# What a slow reader of a list may fall behind: some 200 KB.
MOST_PENDING = 200


class Kind(StrEnum):
    """See `docs/how-to/live-results.md`; also the names of Server-Sent Events."""

    JOB = "job"
    RELOAD = "reload"  # of a list: changes may have been missed
    END = "end"  # the job is final, or deleted
    RECONNECT = "reconnect"  # open another stream: this server ends, or who you are is to be asked anew
    LEFT = "left"  # the reader is gone; sent to nobody


LAST = frozenset({Kind.END, Kind.RECONNECT, Kind.LEFT})


@dataclass(frozen=True)
class Event:
    """One thing to send; `snapshot` with a job."""

    kind: Kind
    snapshot: Snapshot | None = None


class Follower:
    """One open stream."""

    def __init__(self, following: Following) -> None:
        self.following = following
        self._sent = following.seen
        self._pending: dict[str, Snapshot] = {}
        self._states: deque[Snapshot] = deque(maxlen=MOST_STATES)  # of the one job
        self._state: State | None = None
        self._must_reload = False
        self._end: Kind | None = None
        self._ready = asyncio.Event()

    def put(self, snapshot: Snapshot, *, told: Sequence[State] = ()) -> None:
        """Send this, unless that is what was sent last, or the stream ends.

        Of one job the states before it too that it was `told` to have come through since the last time.
        """
        if self._end:
            return
        if self.following.job_id:
            self._put_the_job(snapshot, told)
        elif not self._must_reload:
            # last of all: what changes most is what a reader waits for least
            self._pending.pop(snapshot.job.pk, None)
            self._pending[snapshot.job.pk] = snapshot
            if len(self._pending) > MOST_PENDING:
                self.reload()
            self._ready.set()

    def reload(self) -> None:
        """Of a list: let it be loaded anew."""
        self._pending.clear()
        self._must_reload = True
        self._ready.set()

    def end(self, kind: Kind) -> None:
        """Send what waits, and then this and no more. The first end counts."""
        self._end = self._end or kind
        self._ready.set()

    async def take(self, *, within_s: float) -> list[Event]:
        """What is to be sent now; [] if there was nothing for so long."""
        try:
            await asyncio.wait_for(self._ready.wait(), within_s)
        except TimeoutError:
            return []
        self._ready.clear()
        events = [Event(Kind.RELOAD)] if self._must_reload else []
        events += [Event(Kind.JOB, snapshot) for snapshot in (*self._states, *self._pending.values())]
        self._states.clear()
        self._pending.clear()
        self._must_reload = False
        return [*events, Event(self._end)] if self._end else events

    def _put_the_job(self, snapshot: Snapshot, told: Sequence[State]) -> None:
        before, self._state = self._state, State(snapshot.job.state)
        if snapshot.version != self._sent:
            # what was told before this stream's first look is no news to it
            earlier = _passed(snapshot, passed.states(told, before=before, now=self._state) if before else [])
            for each in (*earlier, snapshot):
                if self._states and self._states[-1].job.state == each.job.state:
                    self._states.pop()
                self._states.append(each)
            self._sent = snapshot.version
            self._ready.set()
        if snapshot.is_final:
            self.end(Kind.END)


def _passed(snapshot: Snapshot, states: Sequence[State]) -> list[Snapshot]:
    """The job in these states, which it has left, oldest first. A final one would end the stream, and is left out."""
    found, attempt, later = [], snapshot.job.attempt, snapshot.job.state
    for state in reversed(states):
        if later == State.RUNNING:
            attempt -= 1  # to claim it is what counts it
        if state in OPEN:
            found.append(snapshot.earlier(state, attempt=max(attempt, 0)))
        later = state
    return found[::-1]
