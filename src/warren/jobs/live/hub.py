"""Who follows what, in this process.

    idle       nobody follows anything: no task, no connection to Postgres
    open       one task reads what the followers follow (`reading.py`), another looks whether they still may
               (`rights.py`), from the first follower to the last
    stopping   the process is told to stop: each stream is told to reconnect, and ends, new ones at once

Owner: the event loop. A crash of the process cuts the streams; their readers open others, in another process.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.conf import settings

from warren.jobs.live import reading, rights
from warren.jobs.live.changes import Changes
from warren.jobs.live.errors import TooManyOfYoursError, TooManyStreamsError
from warren.jobs.live.follower import Follower, Kind
from warren.jobs.live.following import Following


class Hub:
    """One for each process: `hub` below."""

    def __init__(self) -> None:
        self.jobs: dict[str, set[Follower]] = {}
        self.lists: dict[int | None, set[Follower]] = {}
        self.is_stopping = False
        self._open: Counter[int] = Counter()
        self._changes: Changes | None = None
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    @contextmanager
    def follow(self, following: Following) -> Iterator[Follower]:
        """Give what is to be sent, from the state as it is now on. Raises `StreamRefusedError`."""
        self._admit(following.user_id)
        follower = Follower(following)
        place = _add(self.jobs, following.job_id) if following.job_id else _add(self.lists, following.owner_id)
        place.add(follower)
        self._open[following.user_id] += 1
        try:
            self._begin(follower)
            yield follower
        finally:
            place.discard(follower)
            self._open -= Counter({following.user_id: 1})
            _forget_empty(self.jobs, following.job_id)
            _forget_empty(self.lists, following.owner_id)
            self._end_if_idle()

    def followers(self) -> Iterable[Follower]:
        """All of them."""
        return [each for group in (self.jobs, self.lists) for followers in group.values() for each in followers]

    def stop(self) -> None:
        """Tell each stream to reconnect, those too that are still opened: this process ends."""
        self.is_stopping = True
        for follower in self.followers():
            follower.end(Kind.RECONNECT)

    def _admit(self, user_id: int) -> None:
        if self._open.total() >= settings.STREAMS_PER_PROCESS:
            raise TooManyStreamsError
        if self._open[user_id] >= settings.STREAMS_PER_USER:
            raise TooManyOfYoursError

    def _begin(self, follower: Follower) -> None:
        if self._changes is None:
            self._changes = Changes(jobs=self.jobs.keys(), owners=self.lists.keys())
            reads, looks = reading.serve(self, self._changes), rights.watch(self)
            self._tasks = asyncio.create_task(reads), asyncio.create_task(looks)
        if follower.following.job_id:
            self._changes.add(follower.following.job_id)
        else:
            follower.reload()
        if self.is_stopping:
            # no error: a browser would not come again
            follower.end(Kind.RECONNECT)

    def _end_if_idle(self) -> None:
        if not self._open.total():
            for task in self._tasks:
                task.cancel()
            self._tasks, self._changes = (), None


def _add[Key](group: dict[Key, set[Follower]], key: Key) -> set[Follower]:
    return group.setdefault(key, set())


def _forget_empty[Key](group: dict[Key, set[Follower]], key: Key) -> None:
    if not group.get(key):
        group.pop(key, None)


hub = Hub()
