"""The two that submit while faults strike: Django code inside the stack, and a client of the REST API outside it."""

import time
from collections.abc import Iterator
from uuid import uuid4

import httpx

from tests.chaos.entries import Entry, Outcome, Step
from tests.stack.api import Api
from tests.stack.stack import Stack

TASKS = ("ledger.cpu.once", "ledger.io.plain", "ledger.io.once", "ledger.cpu.plain")
# Refusals of a server that is restarting. Anything else is an answer that no client should get.
TRANSIENT = frozenset({httpx.codes.BAD_GATEWAY, httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.GATEWAY_TIMEOUT})


def from_django(stack: Stack, *, run: str, submissions: int, over_s: float) -> list[Entry]:
    """What `manage.py ledger` submitted, in the container that no fault touches."""
    command = ("python", "manage.py", "ledger", "--run", run)
    said = stack.execute("producer", *command, f"--submissions={submissions}", f"--seconds={over_s}")
    return [Entry.from_json(line) for line in said.splitlines() if line.startswith("{")]


def from_outside(member: Api, *, run: str, submissions: int, over_s: float) -> list[Entry]:
    """What was submitted over HTTP, by turns to both queues, transactional and not."""
    return list(_over_http(member, run=run, submissions=submissions, pause_s=over_s / submissions))


def _over_http(member: Api, *, run: str, submissions: int, pause_s: float) -> Iterator[Entry]:
    number = accepted = 0
    while accepted < submissions:
        started = time.monotonic()
        number += 1
        entry = _submit(member, key=f"{run}-http-{number}", number=number, task=TASKS[number % len(TASKS)])
        accepted += entry.outcome is Outcome.ACCEPTED
        yield entry
        time.sleep(max(0.0, started + pause_s - time.monotonic()))


def _submit(member: Api, *, key: str, number: int, task: str) -> Entry:
    outcome, job_id = Outcome.UNKNOWN, ""
    call = {"task": task, "kwargs": {"key": key, "number": number}}
    try:
        answer = member.post("/api/jobs/", call)
    except httpx.TransportError:
        pass
    else:
        if answer.status_code == httpx.codes.ACCEPTED:
            outcome, job_id = Outcome.ACCEPTED, answer.json()["id"]
        elif answer.status_code not in TRANSIENT:
            raise AssertionError(f"POST /api/jobs/ {call}: {answer.status_code} {answer.text[:500]}")
    step = Step(key=key, value=number, once=task.endswith(".once"), job_id=job_id)
    return Entry(kind="http", outcome=outcome, steps=(step,))


def new_run() -> str:
    """What all keys of a run begin with."""
    return uuid4().hex[:8]
