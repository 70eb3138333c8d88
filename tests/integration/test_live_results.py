"""Jobs followed from outside, by the documentation's own example, through a roll of web."""

import importlib.util
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.stack import api, waiting
from tests.stack.api import Api
from tests.stack.stack import Stack

EXAMPLE = Path(__file__).parents[2] / "docs/examples/follow.py"
PROMPT_S = 12.0  # docker's own part included; gunicorn alone would wait for 20 s
COMES_BACK_S = 60.0

Jobs = Iterator[dict[str, Any]]


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("follow", EXAMPLE)
    assert spec, EXAMPLE
    assert spec.loader, EXAMPLE
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def ways(example: ModuleType) -> tuple[Callable[..., Jobs], ...]:
    return example.by_events, example.by_websocket


class Following(threading.Thread):
    """Follows a job to its end, as a client program would."""

    def __init__(self, way: Callable[..., Jobs], who: Api, job_id: str) -> None:
        super().__init__(daemon=True)
        self.states: list[str] = []
        self._jobs = way(who.base_url, token=who.token, job_id=job_id)

    def run(self) -> None:
        self.states.extend(job["state"] for job in self._jobs)


def _follow(ways: tuple[Callable[..., Jobs], ...], who: Api, job_id: str) -> list[Following]:
    following = [Following(way, who, job_id) for way in ways]
    for each in following:
        each.start()
    waiting.until(lambda: all(each.states for each in following), within_s=20, what="each has heard of the job")
    return following


def test_a_job_is_followed_to_its_end_in_both_ways(member: Api, ways: tuple[Callable[..., Jobs], ...]) -> None:
    job_id = member.submit("probe.io.sleep", kwargs={"seconds": 1}, countdown=2)

    following = _follow(ways, member, job_id)

    for each in following:
        each.join(30)
        assert each.states[0] == "accepted"
        assert each.states[-2:] == ["running", "succeeded"]


def test_a_list_hears_of_ones_own_jobs(member: Api, stack: Stack) -> None:
    stranger = api.register(stack.web_url)
    with _open(member, "/api/jobs/events/") as stream:
        lines = stream.iter_lines()
        while next(lines) != "event: reload":
            pass
        others = stranger.submit("probe.cpu.echo", args=["not shown"])
        job_id = member.submit("probe.cpu.echo", args=["shown"])

        heard: dict[str, str] = {}
        while heard.get(job_id) != "succeeded":
            name, _, value = next(lines).partition(": ")
            if name == "data" and value != "{}":
                job = json.loads(value)
                heard[job["id"]] = job["state"]

    assert stranger.wait(others)["state"] == "succeeded"
    own = {job["id"] for job in member.get("/api/jobs/").json()["results"]}
    assert heard.keys() <= own  # the welcome mail's may be among them


def test_streams_are_told_to_reconnect_when_web_is_rolled_and_miss_nothing(
    stack: Stack, ways: tuple[Callable[..., Jobs], ...]
) -> None:
    member = api.register(stack.web_url)
    job_id = member.submit("probe.cpu.echo", args=["after the roll"], countdown=20)
    following = _follow(ways, member, job_id)
    address = f"{stack.web_url.replace('http', 'ws')}/ws/tasks/{job_id}/"
    headers = {"Authorization": f"Token {member.token}"}
    with (
        _open(member, f"/api/jobs/{job_id}/events/") as stream,
        connect(address, additional_headers=headers, proxy=None) as socket,
    ):
        socket.recv(timeout=20)
        started = time.monotonic()
        stack.compose("stop", "web")
        took_s = time.monotonic() - started

        assert "event: reconnect" in list(stream.iter_lines())
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=20)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    assert took_s < PROMPT_S
    stack.up("web")

    for each in following:
        each.join(COMES_BACK_S)
        assert each.states[-1] == "succeeded"


def _open(who: Api, path: str) -> Any:
    headers = {"Authorization": f"Token {who.token}", "Accept": "text/event-stream"}
    return httpx.stream("GET", f"{who.base_url}{path}", headers=headers, timeout=30, trust_env=False)
