"""A job's stream as WebSocket: each message is the job as it is, the first at once.

    refused     by HTTP 403: nobody has logged in, or a page of another site asks (`origins.py`)
    closed      1000 after the final state, 1012 when the server restarts, or asks anew who they are: connect again;
                before the first message 4404 (no such job that you may see), 4429 (too many streams of yours) and 1013
                (of all, or no Postgres); with the reason in words
    silence     the job is sent again as it is, lest a proxy cuts the connection

Owner: the connection's task, and one beside it that sends; it ends with the connection.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from rest_framework import status
from rest_framework.exceptions import NotFound

from warren.jobs import visible
from warren.jobs.live import credentials, reading, streams
from warren.jobs.live.errors import StreamRefusedError
from warren.jobs.live.follower import Kind
from warren.jobs.live.following import Following
from warren.jobs.live.hub import Hub, hub

NORMAL, BROKEN, RESTARTS, TRY_LATER = 1000, 1011, 1012, 1013
NOT_FOUND, TOO_MANY = 4404, 4429  # HTTP's codes, in the range that is free for applications
CLOSES = {Kind.END: (NORMAL, "The job has ended."), Kind.RECONNECT: (RESTARTS, "Connect again.")}
# A message now and then, though nothing changes: shorter than proxies' usual 60 s.
QUIET_S = 25.0
LONGEST_REASON = 120  # bytes; a close frame has room for 123

log = logging.getLogger(__name__)


class TaskConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # Channels ships no types
    """ws/tasks/<task_id>/."""

    hub: Hub = hub

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.hub = options.get("hub", self.hub)
        self._sending: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Let in whoever is known, and tell them there what is wrong: a browser shows no reason for a refusal."""
        job_id = self.scope["url_route"]["kwargs"]["task_id"]
        try:
            following, is_theirs = await _look_up(self.scope, job_id)
        except reading.AWAY as exc:
            log.warning("a WebSocket is not opened: %s", exc)
            await self._accept()
            await self._end(TRY_LATER, "Postgres does not answer; try again shortly.")
            return
        if following is None:
            await self.close()
            return
        await self._accept()
        if is_theirs:
            self._sending = asyncio.create_task(self._send_all(following))
        else:
            await self._end(NOT_FOUND, "There is no such job that you may see.")

    async def disconnect(self, _code: int) -> None:
        """The client has left, or has heard that we do."""
        if self._sending:
            self._sending.cancel()

    async def _accept(self) -> None:
        await self.accept(credentials.answer_to(self.scope.get("subprotocols", [])))

    async def _send_all(self, following: Following) -> None:
        try:
            # the client may be gone
            with suppress(OSError, TimeoutError):
                with self.hub.follow(following) as follower:
                    code, reason = await self._send_from(follower)
                await self._end(code, reason)
        except StreamRefusedError as exc:
            is_theirs = exc.status_code == status.HTTP_429_TOO_MANY_REQUESTS
            await self._end(TOO_MANY if is_theirs else TRY_LATER, str(exc.detail))
        except Exception:
            log.exception("a WebSocket broke")
            await self._end(BROKEN, "Something went wrong here.")

    async def _send_from(self, follower: Any) -> tuple[int, str]:
        latest = ""
        async for events in streams.following(follower, quiet_s=QUIET_S):
            texts = [event.snapshot.text for event in events if event.snapshot]
            for text in texts or ([latest] if latest and not events else []):
                await asyncio.wait_for(self.send(text_data=text), streams.PATIENCE_S)
                latest = text
            if events and events[-1].kind in CLOSES:
                return CLOSES[events[-1].kind]
        return NORMAL, ""

    async def _end(self, code: int, reason: str) -> None:
        with suppress(OSError):
            await self.close(code=code, reason=reason.encode()[:LONGEST_REASON].decode(errors="ignore"))


def _look_up_now(scope: dict[str, Any], job_id: str) -> tuple[Following | None, bool]:
    request = credentials.request_of(scope)
    if request is None:
        return None, False
    following = Following.by(request, job_id=job_id)
    try:
        visible.find(job_id, user=request.user)
    except NotFound:
        return following, False
    return following, True


_look_up = database_sync_to_async(_look_up_now, thread_sensitive=False)
