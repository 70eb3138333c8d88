"""A WebSocket without a server: what a real one does not do when asked."""

import asyncio
from typing import Any

import pytest
from django.db import OperationalError

from warren.delivery.models import Job
from warren.delivery.states import State
from warren.jobs.live import consumer
from warren.jobs.live.consumer import TaskConsumer
from warren.jobs.live.follower import Kind
from warren.jobs.live.following import Following
from warren.jobs.live.hub import Hub
from warren.jobs.live.snapshots import Snapshot


class Client:
    """The other end: connects, and leaves when it is closed."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self._closed = asyncio.Event()
        self._asked = False

    async def receive(self) -> Any:
        if not self._asked:
            self._asked = True
            return {"type": "websocket.connect"}
        await self._closed.wait()
        return {"type": "websocket.disconnect", "code": 1000}

    async def send(self, message: Any) -> None:
        self.messages.append(message)
        if message["type"] == "websocket.close":
            self._closed.set()


def _look_up(answer: Any) -> Any:
    async def look_up(_scope: Any, _job_id: str) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return look_up


async def _open(client: Client, hub: Hub) -> None:
    scope: Any = {"type": "websocket", "headers": [], "subprotocols": [], "url_route": {"kwargs": {"task_id": "one"}}}
    await asyncio.wait_for(TaskConsumer.as_asgi(hub=hub)(scope, client.receive, client.send), 20)


def test_it_says_that_postgres_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "_look_up", _look_up(OperationalError("away")))
    client = Client()

    asyncio.run(_open(client, Hub()))

    assert [message["type"] for message in client.messages] == ["websocket.accept", "websocket.close"]
    assert client.messages[-1]["code"] == 1013
    assert "Postgres does not answer" in client.messages[-1]["reason"]


def test_it_repeats_the_state_while_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "_look_up", _look_up((Following(user_id=1, job_id="one"), True)))
    monkeypatch.setattr(consumer, "QUIET_S", 0.02)
    hub = Hub()
    monkeypatch.setattr(hub, "_begin", lambda follower: follower.put(Snapshot(Job(pk="one", state=State.RUNNING))))
    monkeypatch.setattr(Snapshot, "text", "the job")

    async def story() -> list[Any]:
        client = Client()
        opened = asyncio.create_task(_open(client, hub))
        while len(client.messages) < 4:  # noqa: ASYNC110  bounded by `_open`
            await asyncio.sleep(0.01)
        hub.stop()
        await opened
        return client.messages

    accept, *told, close = asyncio.run(story())

    assert accept["type"] == "websocket.accept"
    assert {message["text"] for message in told} == {"the job"}
    assert (close["code"], close["reason"]) == (1012, "Connect again.")


def test_it_ends_when_something_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "_look_up", _look_up((Following(user_id=1, job_id="one"), True)))
    client, hub = Client(), Hub()

    def broken(_following: Following) -> None:
        raise ValueError(Kind.JOB)

    monkeypatch.setattr(hub, "follow", broken)

    asyncio.run(_open(client, hub))

    assert client.messages[-1]["code"] == 1011
