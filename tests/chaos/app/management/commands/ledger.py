"""Submits jobs from Django code, steadily, and tells of each what became of it: `manage.py ledger`.

Each line of the output is one submission, in JSON, written after its transaction has ended:

    outcome   accepted: the commit came back. refused: rolled back on purpose. unknown: an error came instead; whether
              the commit happened is for the judge to see, who looks when all is over
    steps     one for each job of it: its key, its id, the value that it must give, and whether its effect must be there
              exactly once
"""

import json
import random
import time
from collections.abc import Callable
from typing import Any

from celery import chain, chord, current_app, group, uuid
from django.core.management import BaseCommand, CommandParser
from django.db import DatabaseError, InterfaceError, connection, transaction

QUEUES = ("cpu", "io")
DURATIONS_S = (0.0, 0.02, 0.1, 0.25)
CANVASES = ("chain", "group", "chord")
PARTS = 4
ROLLED_BACK_EVERY = 37
DELAYED_EVERY, DELAY_S = 5, 1.0  # of the single jobs
EXPIRING_EVERY, EXPIRY_S = 7, 1800.0  # of the single jobs; no fault lasts as long
ALONE_EVERY = 3  # of the single jobs: without a transaction of the caller's

Step = dict[str, Any]


class Command(BaseCommand):
    """Runs until enough submissions were accepted."""

    help = "Submit a steady stream of jobs and print what became of each."

    def add_arguments(self, parser: CommandParser) -> None:
        """How many jobs, over how long."""
        parser.add_argument("--run", required=True, help="what every key begins with")
        parser.add_argument("--submissions", type=int, required=True)
        parser.add_argument("--seconds", type=float, required=True)

    def handle(self, *_args: Any, run: str, submissions: int, seconds: float, **_options: Any) -> None:
        """Submit at an even pace; what was not accepted is made up for by more submissions."""
        writer = _Writer(run)
        pause_s = seconds / submissions
        next_at = time.monotonic()
        accepted = 0
        while accepted < submissions:
            time.sleep(max(0.0, next_at - time.monotonic()))
            next_at = max(next_at + pause_s, time.monotonic() - 1)  # an outage is not made up for in one burst
            line = writer.submit()
            accepted += line["outcome"] == "accepted"
            print(json.dumps(line), flush=True)  # noqa: T201  it is what this command is for


class _Writer:
    """Numbers the submissions, and makes each of them a different thing in a fixed mixture."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._number = 0
        self._random = random.Random(run)  # noqa: S311  a mixture, not a secret

    def submit(self) -> dict[str, Any]:
        """One submission, whatever Postgres does; half are transactional jobs, a quarter plain, a quarter canvases."""
        self._number += 1
        number = self._number
        kind = ("once", "plain", "once", CANVASES[number // 4 % len(CANVASES)])[number % 4]
        roll_back = number % ROLLED_BACK_EVERY == 0
        steps: list[Step] = []
        write = self._canvas(kind, steps) if kind in CANVASES else self._single(kind, steps)
        alone = kind not in CANVASES and number % ALONE_EVERY == 0 and not roll_back
        return {"kind": kind, "outcome": _commit(write, alone=alone, roll_back=roll_back), "steps": steps}

    def _single(self, kind: str, steps: list[Step]) -> Callable[[], Any]:
        task, options = self._step(kind, steps)
        countdown = DELAY_S if self._number % DELAYED_EVERY == 0 else None
        expires = EXPIRY_S if self._number % EXPIRING_EVERY == 0 else None
        return lambda: task.apply_async(countdown=countdown, expires=expires, **options)

    def _canvas(self, kind: str, steps: list[Step]) -> Callable[[], Any]:
        parts = [self._signature("once" if part % 2 else "plain", steps) for part in range(PARTS)]
        if kind == "group":
            return lambda: group(parts).apply_async()
        before = 0.0
        last = self._signature("once", steps)
        if kind == "chain":
            for step in steps:
                before = step["value"] = before + step["value"]
            return lambda: chain(*parts, last).apply_async()
        steps[-1]["value"] = sum(step["value"] for step in steps)
        return lambda: chord(parts, last).apply_async()

    def _signature(self, kind: str, steps: list[Step]) -> Any:
        task, options = self._step(kind, steps)
        return task.signature(kwargs=options["kwargs"], task_id=options["task_id"])

    def _step(self, kind: str, steps: list[Step]) -> tuple[Any, dict[str, Any]]:
        number = self._random.randrange(1_000_000)
        key = f"{self._run}-{self._number}-{len(steps)}"
        step = {"key": key, "id": uuid(), "value": number, "once": kind == "once"}
        steps.append(step)
        kwargs = {"key": key, "number": number, "seconds": self._random.choice(DURATIONS_S)}
        task = current_app.tasks[f"ledger.{self._random.choice(QUEUES)}.{kind}"]
        return task, {"kwargs": kwargs, "task_id": step["id"]}


def _commit(write: Callable[[], Any], *, alone: bool, roll_back: bool) -> str:
    try:
        if alone:
            write()
        else:
            with transaction.atomic():
                write()
                transaction.set_rollback(roll_back)
    except (DatabaseError, InterfaceError):
        connection.close()
        return "unknown"
    return "refused" if roll_back else "accepted"
