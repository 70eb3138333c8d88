"""Reads what has changed, for all who follow it, one batch after the other.

    told        the rows of what changed are read at once; what changes meanwhile is the next batch: a burst costs few
                queries, and a change one, however many follow the job. The states that a job was told to have come
                through since are sent as well, as its row still shows them
    untold      nobody tells of a job that is accepted, which would cost each one; lists look for new jobs now and then
    not told    the connection that hears was made, or is lost: every followed job is read again, lists are loaded anew,
                and until it is back all are read again each second; also else, but rarely, for what nobody thought of
    Postgres away, or a defect   logged, and tried again after a second; streams stay open

Owner: a task of the event loop, which the hub starts and cancels. Rows are read in a thread.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
from channels.db import database_sync_to_async
from django.db import DatabaseError, InterfaceError
from django.db.models.functions import Now

from warren.delivery.listening import listener
from warren.delivery.models import Job
from warren.delivery.states import State
from warren.jobs.live import snapshots
from warren.jobs.live.changes import Changes, Taken
from warren.jobs.live.follower import Kind
from warren.jobs.live.snapshots import Snapshot

if TYPE_CHECKING:  # which starts this
    from warren.jobs.live.hub import Hub

# Between two batches; with the share below it bounds what streams cost, and this is what a change waits in a burst.
LEAST_PAUSE_S = 0.025
SHARE = 3  # at most a third of the time is spent reading
AGAIN_S = 1.0
LOOK_EVERY_S = 15.0
NEW_EVERY_S = 2.0
# A transaction that began before the last look may have committed after it; of longer ones lists hear when their jobs
# are sent.
LOOK_BACK = timedelta(seconds=NEW_EVERY_S + 5)
MOST_NEW = 200
REMEMBERED = 2000  # what lists were told lately, so that they are not told twice

# the pool's own errors are psycopg's
AWAY = (DatabaseError, InterfaceError, psycopg.Error)

log = logging.getLogger(__name__)


async def serve(hub: "Hub", changes: Changes) -> None:
    """Read for the hub's followers until cancelled."""
    reader = Reader(hub, changes)
    listener.attach(changes)
    try:
        while True:
            await reader.turn()
    finally:
        listener.detach(changes)


class Reader:
    """The task's own state."""

    def __init__(self, hub: "Hub", changes: Changes) -> None:
        self._hub, self._changes = hub, changes
        self._looked_at = self._new_at = self._ensured_at = float("-inf")
        self._told: OrderedDict[str, str] = OrderedDict()

    async def turn(self) -> None:
        """Wait for something to do, and do it."""
        await self._changes.wait(within_s=self._next_look_s())
        self._keep_listening()
        taken = self._changes.take()
        started = time.monotonic()
        if await self._has_read(taken):
            took_s = time.monotonic() - started
            await asyncio.sleep(max(LEAST_PAUSE_S, took_s * (SHARE - 1)))
        else:
            self._changes.put_back(taken)
            await asyncio.sleep(AGAIN_S)

    async def _has_read(self, taken: Taken) -> bool:
        try:
            await self._read(taken)
        except AWAY as exc:
            log.warning("streams wait for Postgres: %s", exc)
            return False
        except Exception:
            log.exception("streams could not be served")
            return False
        return True

    def _next_look_s(self) -> float:
        now = time.monotonic()
        looks = [self._looked_at + self._look_every_s()]
        if self._hub.lists:
            looks.append(self._new_at + NEW_EVERY_S)
        return max(0.0, min(min(looks) - now, AGAIN_S))

    def _look_every_s(self) -> float:
        return LOOK_EVERY_S if listener.hears else AGAIN_S

    def _keep_listening(self) -> None:
        if time.monotonic() - self._ensured_at >= AGAIN_S:
            self._ensured_at = time.monotonic()
            listener.ensure()

    async def _read(self, taken: Taken) -> None:
        now = time.monotonic()
        looks = taken.missed or now - self._looked_at >= self._look_every_s()
        news = bool(self._hub.lists) and now - self._new_at >= NEW_EVERY_S
        jobs = set(self._hub.jobs) if looks else taken.jobs.keys() & self._hub.jobs.keys()
        if not (jobs or taken.in_lists or news or looks or taken.lists_overflowed):
            return
        owners = list(self._hub.lists) if news else []
        found = await _in_thread(jobs | taken.in_lists, owners)
        if looks:
            self._looked_at = now
        if news:
            self._new_at = now
        self._tell_followers_of(jobs, found, told=taken.jobs)
        if taken.missed or taken.lists_overflowed:
            self._let_lists_reload()
        else:
            self._tell_lists(found.values())

    def _tell_followers_of(
        self, job_ids: Iterable[str], found: dict[str, Snapshot], *, told: Mapping[str, Sequence[State]]
    ) -> None:
        for job_id in job_ids:
            for follower in self._hub.jobs.get(job_id, ()):
                if job_id in found:
                    follower.put(found[job_id], told=told.get(job_id, ()))
                else:
                    follower.end(Kind.END)

    def _tell_lists(self, found: Iterable[Snapshot]) -> None:
        for snapshot in found:
            job = snapshot.job
            everybody = self._hub.lists.get(None, ())
            own = self._hub.lists.get(job.owner_id, ()) if job.owner_id is not None else ()
            if not (everybody or own) or self._told.get(job.pk) == snapshot.version:
                continue
            self._told[job.pk] = snapshot.version
            self._told.move_to_end(job.pk)
            for follower in (*everybody, *own):
                follower.put(snapshot)
        while len(self._told) > REMEMBERED:
            self._told.popitem(last=False)

    def _let_lists_reload(self) -> None:
        for followers in self._hub.lists.values():
            for follower in followers:
                follower.reload()


def _rows(job_ids: set[str], owners: list[int | None]) -> dict[str, Snapshot]:
    return snapshots.read(job_ids | _new(owners))


def _new(owners: list[int | None]) -> set[str]:
    """Ids of these owners' newest jobs, of everybody's if one of them is None."""
    if not owners:
        return set()
    jobs = Job.objects.filter(created_at__gt=Now() - LOOK_BACK)
    if None not in owners:
        jobs = jobs.filter(owner_id__in=owners)
    return set(jobs.values_list("pk", flat=True)[:MOST_NEW])


# not the thread that requests share: a query that waits must not hold up others, nor be held up
_in_thread = database_sync_to_async(_rows, thread_sensitive=False)
