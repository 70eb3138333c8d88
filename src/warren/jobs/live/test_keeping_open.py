"""What keeps a stream open, and what ends it, without a server."""

import asyncio
import json
from typing import Any

import pytest
from django.conf import settings

from warren.jobs.live import sse, streams
from warren.jobs.live.following import Following
from warren.jobs.live.hub import Hub
from warren.jobs.live.views import SCOPE_KEY

pytestmark = pytest.mark.django_db(transaction=True)


async def _django(scope: Any, _receive: Any, send: Any) -> None:
    """As Django answers for a list."""
    scope[SCOPE_KEY] = Following(user_id=1, owner_id=1, token=scope.get("token", ""))
    headers = [(b"Content-Type", b"text/event-stream"), (b"Content-Length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"begin", "more_body": False})


class Client:
    """The other end; `reads` less and it takes nothing."""

    def __init__(self, *, reads: bool = True) -> None:
        self.messages: list[Any] = []
        self.left = asyncio.Event()
        self._reads = reads

    async def receive(self) -> Any:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.messages.append(message)
        if not self._reads and len(self.messages) > 2:
            await asyncio.Event().wait()

    async def until(self, text: bytes) -> None:
        while not any(text in each.get("body", b"") for each in self.messages):  # noqa: ASYNC110  bounded by `_open`
            await asyncio.sleep(0.01)


async def _open(client: Client, hub: Hub, *, token: str = "") -> None:
    scope: Any = {"type": "http", "method": "GET", "path": "/api/jobs/events/", "token": token}
    await asyncio.wait_for(streams.EventStreams(_django, hub=hub)(scope, client.receive, client.send), 20)


@pytest.fixture
def hub() -> Hub:
    return Hub()


def test_it_goes_on_where_the_answer_ends(hub: Hub) -> None:
    async def story() -> Client:
        client = Client()
        opened = asyncio.create_task(_open(client, hub))
        await client.until(b"event: reload")
        hub.stop()
        await opened
        return client

    client = asyncio.run(story())

    start, begin, *_, end = client.messages
    assert start["headers"] == [(b"Content-Type", b"text/event-stream")]
    assert (begin["body"], begin["more_body"]) == (b"begin", True)
    assert (end["body"], end["more_body"]) == (b"", False)


def test_it_says_something_now_and_then(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "KEEP_ALIVE_S", 0.05)

    async def story() -> None:
        client = Client()
        opened = asyncio.create_task(_open(client, hub))
        await client.until(sse.KEEP_ALIVE)
        client.left.set()
        await opened

    asyncio.run(story())


def test_it_ends_when_the_client_leaves(hub: Hub) -> None:
    async def story() -> None:
        client = Client()
        opened = asyncio.create_task(_open(client, hub))
        await client.until(b"event: reload")
        client.left.set()
        await opened

    asyncio.run(story())

    assert not list(hub.followers())


def test_it_gives_up_on_a_client_that_reads_nothing(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PATIENCE_S", 0.1)
    client_messages = []

    async def story() -> None:
        client = Client(reads=False)
        await _open(client, hub)
        client_messages.extend(client.messages)

    asyncio.run(story())

    assert all(message.get("more_body", True) for message in client_messages)  # the connection is cut, not ended
    assert not list(hub.followers())


def test_it_refuses_in_the_words_of_the_api(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "STREAMS_PER_PROCESS", 0)
    client = Client()

    asyncio.run(_open(client, hub))

    start, body = client.messages
    assert (start["status"], dict(start["headers"])[b"retry-after"]) == (503, b"5")
    assert "Too many streams are open here" in json.loads(body["body"])["detail"]


@pytest.mark.parametrize(("lifetime", "token"), [("LIFETIME_S", "a token"), ("SESSION_LIFETIME_S", "")])
def test_it_sends_the_client_to_log_in_anew_when_its_time_is_over(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, lifetime: str, token: str
) -> None:
    monkeypatch.setattr(streams, lifetime, 0.2)
    monkeypatch.setattr(sse, "KEEP_ALIVE_S", 0.05)

    async def story() -> Client:
        client = Client()
        await _open(client, hub, token=token)
        return client

    client = asyncio.run(story())

    assert b"event: reconnect" in client.messages[-2]["body"]
