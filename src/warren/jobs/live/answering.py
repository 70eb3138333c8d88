"""Asks Django for an answer to a GET, whole, and gives back what the request took: its thread, and its connection."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from asgiref.typing import ASGI3Application, ASGISendCallable, HTTPScope

_EMPTY = {"type": "http.request", "body": b"", "more_body": False}


@dataclass
class Answer:
    """What Django said."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    async def send(self, send: ASGISendCallable, *, goes_on: bool = False) -> None:
        """Send it; with `goes_on` as the beginning of something whose length is not known."""
        headers = [each for each in self.headers if not (goes_on and each[0].lower() == b"content-length")]
        start: Any = {"type": "http.response.start", "status": self.status, "headers": headers}
        body: Any = {"type": "http.response.body", "body": self.body, "more_body": goes_on}
        await send(start)
        await send(body)


async def ask(django: ASGI3Application, scope: HTTPScope) -> Answer:
    """The answer of this application."""
    answer = Answer()
    asked = False

    async def receive() -> Any:
        nonlocal asked
        if asked:
            await asyncio.Event().wait()  # that the client leaves is noticed later
        asked = True
        return _EMPTY

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], list(message["headers"])
        else:
            answer.body += message.get("body", b"")

    await django(scope, receive, send)
    return answer
