"""Ends streams whose user may no longer have them: who may was asked when they were opened, and that is a while ago.

    each 15 s       one query for all streams of this process: is the user still there and active, still staff if they
                    were, and is the token still theirs and not over?
    lost            the stream is told to reconnect: whoever opens the next is asked by Django, as for any request
    a session       nobody looks whether it has ended; a stream that rests on one lives for minutes (`streams.py`)
    Postgres away, or a defect   logged, and asked again at the next turn; without Postgres a stream shows nothing new

Owner: a task of the event loop, which the hub starts and cancels. The query is made in a thread.
"""

import asyncio
import logging
from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

from channels.db import database_sync_to_async
from django.contrib.auth import get_user_model
from django.utils import timezone

from warren.jobs import token_age
from warren.jobs.live import reading
from warren.jobs.live.follower import Kind
from warren.jobs.live.following import Following

if TYPE_CHECKING:  # which starts this
    from datetime import datetime

    from warren.jobs.live.hub import Hub

EVERY_S = 15.0

log = logging.getLogger(__name__)


async def watch(hub: "Hub") -> None:
    """Look after the hub's followers until cancelled."""
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            await _look(hub)
        except reading.AWAY as exc:
            log.warning("who may have streams is not known: %s", exc)
        except Exception:
            log.exception("who may have streams could not be asked")


async def _look(hub: "Hub") -> None:
    over = await _in_thread({each.following for each in hub.followers()})
    for follower in hub.followers():
        if follower.following in over:
            follower.end(Kind.RECONNECT)


class _Person(NamedTuple):
    """An active user; they have one token at most."""

    id: int
    is_staff: bool
    token: str | None
    token_created: "datetime | None"


def lost(held: Collection[Following]) -> set[Following]:
    """Those whose user may no longer have them. One query, however many there are."""
    active = get_user_model().objects.filter(pk__in={each.user_id for each in held}, is_active=True)
    rows = active.values_list("pk", "is_staff", "auth_token__key", "auth_token__created")
    people = {row[0]: _Person(*row) for row in rows}
    return {each for each in held if not _holds(each, people.get(each.user_id))}


def _holds(following: Following, person: _Person | None) -> bool:
    if person is None or (following.as_staff and not person.is_staff):
        return False
    if not following.token:
        return True
    created = person.token_created if person.token == following.token else None
    return created is not None and not token_age.is_over(created, now=timezone.now())


# not the thread that requests share, as in `reading.py`
_in_thread = database_sync_to_async(lost, thread_sensitive=False)
