"""Streams as Server-Sent Events.

    asked    Django answers as to any request: it knows who asks, what they may see, and how the stream begins
    open     the answer is sent without an end, and what the hub tells follows it; Django, its thread and its connection
             to Postgres are done with: an open stream costs little more than its socket
    ended    the job is final; the server stops; the client left, or reads nothing any more; whoever opened it may no
             longer have it (`rights.py`); or its time is over, and whoever may no longer log in gets no other

Owner: the request's task. If it crashes the connection is cut, and the reader opens another.
"""

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, HTTPScope

from warren.jobs.live import answering, sse
from warren.jobs.live.answering import Answer
from warren.jobs.live.errors import StreamRefusedError
from warren.jobs.live.follower import LAST, Event, Follower, Kind
from warren.jobs.live.hub import Hub
from warren.jobs.live.views import SCOPE_KEY

ADDRESSES = re.compile(r"/api/jobs/(?:[^/]+/)?events/\Z")
# A reader who takes nothing for so long is gone, or does not care; what waited for them is in the kernel's buffers.
PATIENCE_S = 30.0
LIFETIME_S = 3600.0
# By a session, of which nobody hears that it has ended: who has logged out sees no more after this.
SESSION_LIFETIME_S = 300.0
SPREAD = 0.2  # so that streams which began together do not all begin anew together


class EventStreams:
    """ASGI: Django, but for streams that are open."""

    def __init__(self, django: ASGI3Application, *, hub: Hub) -> None:
        self._django, self._hub = django, hub

    async def __call__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["method"] != "GET" or not ADDRESSES.search(scope["path"]):
            await self._django(scope, receive, send)
            return
        answer = await answering.ask(self._django, scope)
        following: Any = scope.get(SCOPE_KEY)
        if following is None:
            await answer.send(send)
            return
        try:
            with self._hub.follow(following) as follower:
                await _stream(answer, follower, receive, send)
        except StreamRefusedError as exc:
            await _refusal(exc).send(send)


async def _stream(answer: Answer, follower: Follower, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    leaving = asyncio.create_task(_end_with_client(follower, receive))
    try:
        # a reader who is gone, and one who reads nothing: the connection is cut when we return
        with suppress(OSError, TimeoutError):
            await answer.send(send, goes_on=True)
            async for chunk in _chunks(follower):
                body: Any = {"type": "http.response.body", "body": chunk, "more_body": True}
                await asyncio.wait_for(send(body), PATIENCE_S)
            end: Any = {"type": "http.response.body", "body": b"", "more_body": False}
            await send(end)
    finally:
        leaving.cancel()


async def _chunks(follower: Follower) -> AsyncIterator[bytes]:
    async for events in following(follower, quiet_s=sse.KEEP_ALIVE_S):
        yield b"".join(sse.write(event) for event in events) or sse.KEEP_ALIVE


async def following(follower: Follower, *, quiet_s: float) -> AsyncIterator[list[Event]]:
    """What is to be sent, to the last event, which comes within its lifetime; [] whenever nothing was for `quiet_s`."""
    now = asyncio.get_running_loop().time
    lifetime_s = LIFETIME_S if follower.following.token else SESSION_LIFETIME_S
    end = now() + lifetime_s * random.uniform(1 - SPREAD, 1)  # noqa: S311  no secret
    while True:
        if now() > end:
            follower.end(Kind.RECONNECT)
        events = await follower.take(within_s=quiet_s)
        if events and events[-1].kind is Kind.LEFT:
            return
        yield events
        if events and events[-1].kind in LAST:
            return


async def _end_with_client(follower: Follower, receive: ASGIReceiveCallable) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    follower.end(Kind.LEFT)


def _refusal(error: StreamRefusedError) -> Answer:
    """As `api_errors.handle` would answer; it was Django's turn before we knew."""
    body = json.dumps({"detail": str(error.detail), "errors": {}}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", str(error.wait).encode()),
        (b"cache-control", b"no-store"),
    ]
    return Answer(status=error.status_code, headers=headers, body=body)
