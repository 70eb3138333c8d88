"""Somebody who submits without a pause, whatever answers, and remembers what was accepted."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import httpx

from tests.stack.api import Api

PAUSE_S = 0.1
EACH_TIME = 5  # jobs for either queue


@dataclass
class Load:
    """What was accepted: the ids of jobs, and what each says. Those of `effects` make a row of that name."""

    effects: dict[str, str] = field(default_factory=dict)
    echoes: dict[str, str] = field(default_factory=dict)

    @property
    def said(self) -> dict[str, str]:
        return self.effects | self.echoes


@contextmanager
def on(somebody: Api) -> Iterator[Load]:
    """Submit during the block."""
    load, stop = Load(), threading.Event()

    def submit() -> None:
        while not stop.wait(PAUSE_S):
            _submit(somebody, load)

    thread = threading.Thread(target=submit)
    thread.start()
    try:
        yield load
    finally:
        stop.set()
        thread.join()


def _submit(somebody: Api, load: Load) -> None:
    says = [uuid4().hex for _ in range(2 * EACH_TIME)]
    tasks = ["probe.cpu.effect", "probe.io.echo"] * EACH_TIME
    jobs = [{"task": task, "args": [text]} for task, text in zip(tasks, says, strict=True)]
    try:
        answer = somebody.post("/api/jobs/batch/", {"jobs": jobs})
    except httpx.HTTPError:  # web is away
        return
    if answer.status_code != httpx.codes.ACCEPTED:
        return
    for number, (job, text) in enumerate(zip(answer.json()["jobs"], says, strict=True)):
        (load.echoes if number % 2 else load.effects)[job["id"]] = text
