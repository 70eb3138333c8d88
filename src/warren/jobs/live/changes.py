"""Which jobs that somebody follows have changed since they were last read.

Owner: whoever holds the lock; the listener's thread writes, the event loop takes. The loop is woken once, however many
changes come until it has looked.
"""

import asyncio
import threading
from collections.abc import Collection
from dataclasses import dataclass, field

from warren.delivery.states import State

# Of jobs in lists alone; over it the lists are loaded anew. A bulk of jobs comes to thousands, and no list shows them.
MOST_IN_LISTS = 1000
# Of one job between two reads, the last ones: more than anybody's eyes take in.
MOST_STATES = 20


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What to read: jobs that are followed one by one, jobs in lists; `missed`: any job may have changed.

    `jobs` has the states that each was told to have come to, in order; the row that is read has the last alone.
    """

    jobs: dict[str, list[State]] = field(default_factory=dict)
    in_lists: set[str] = field(default_factory=set)
    missed: bool = False
    lists_overflowed: bool = False


class Changes:
    """An `Audience` of the listener. `jobs` and `owners` are what is followed, kept by the hub."""

    def __init__(self, *, jobs: Collection[str], owners: Collection[int | None]) -> None:
        """`owners` holds None if everybody's jobs are followed."""
        self._jobs, self._owners = jobs, owners
        self._lock = threading.Lock()
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._begin()

    def _begin(self) -> None:
        self._taken, self._missed, self._overflowed, self._told = Taken(), False, False, False

    def heard(self, job_id: str, *, owner_id: int | None, state: str) -> None:
        """A job has changed, and had this state then; called in any thread."""
        is_followed = job_id in self._jobs
        in_lists = (owner_id is not None and owner_id in self._owners) or None in self._owners
        if not (is_followed or in_lists):
            return
        with self._lock:
            if is_followed:
                self._note(job_id, [State(state)] if state in State else [])
            if in_lists and not self._overflowed:
                self._taken.in_lists.add(job_id)
                self._overflowed = len(self._taken.in_lists) > MOST_IN_LISTS
            self._tell()

    def missed(self) -> None:
        """Any job may have changed; called in any thread."""
        with self._lock:
            self._missed = True
            self._tell()

    async def wait(self, *, within_s: float) -> None:
        """Until there is something to take, or for so long."""
        try:
            await asyncio.wait_for(self._wake.wait(), within_s)
        except TimeoutError:
            return

    def take(self) -> Taken:
        """All since the last time."""
        with self._lock:
            taken = Taken(
                jobs=self._taken.jobs,
                in_lists=set() if self._overflowed else self._taken.in_lists,
                missed=self._missed,
                lists_overflowed=self._overflowed,
            )
            self._begin()
            self._wake.clear()
        return taken

    def put_back(self, taken: Taken) -> None:
        """What was taken could not be read: it is still to be taken."""
        with self._lock:
            later = self._taken.jobs.copy()
            self._taken.jobs.clear()
            for jobs in (taken.jobs, later):
                for job_id, states in jobs.items():
                    self._note(job_id, states)
            self._taken.in_lists.update(taken.in_lists)
            self._missed |= taken.missed
            self._overflowed |= taken.lists_overflowed or len(self._taken.in_lists) > MOST_IN_LISTS
            self._tell()

    def add(self, job_id: str) -> None:
        """Read this job, though it may not have changed: somebody new follows it."""
        with self._lock:
            self._note(job_id, [])
            self._tell()

    def _note(self, job_id: str, states: Collection[State]) -> None:
        noted = self._taken.jobs.setdefault(job_id, [])
        for state in states:
            if state not in noted[-1:]:  # a step of progress comes to no other
                noted.append(state)
        del noted[:-MOST_STATES]

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            self._loop.call_soon_threadsafe(self._wake.set)
