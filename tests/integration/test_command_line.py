"""`manage.py queues` and `jobs tail` on the whole stack."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.integration import workers
from tests.stack import waiting
from tests.stack.api import Api
from tests.stack.stack import ROOT, CommandFailedError, Stack

ENDS_WITHIN_S = 30


class Tail:
    """`jobs tail --json` in the web container; what it has said so far."""

    def __init__(self, stack: Stack, folder: Path, *options: str) -> None:
        self._out = folder / "tail.jsonl"
        command = stack.command("exec", "--no-TTY", "web", "python", "manage.py", "jobs", "tail", "--json", *options)
        with self._out.open("w") as out:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.DEVNULL)

    def said(self) -> list[dict[str, Any]]:
        lines = self._out.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def states(self, job_id: str) -> list[str]:
        return [change["state"] for change in self.said() if change["id"] == job_id]

    def has_ended(self, job_id: str) -> bool:
        return self.states(job_id)[-1:] == ["succeeded"]


@contextmanager
def _tail(stack: Stack, folder: Path, *options: str) -> Iterator[Tail]:
    tail = Tail(stack, folder, *options)
    try:
        yield tail
    finally:
        tail.process.terminate()
        tail.process.wait(ENDS_WITHIN_S)
        # the engine's client is gone, and what it had started goes on
        stack.execute("web", "bash", "-c", _END_TAILS)


_END_TAILS = """
for each in /proc/[0-9]*; do
  if tr '\\0' ' ' <"$each/cmdline" 2>/dev/null | grep -q '^python manage.py jobs tail'; then kill "${each#/proc/}"; fi
done
"""


def test_tail_tells_of_jobs_from_their_acceptance_to_their_end(stack: Stack, member: Api, tmp_path: Path) -> None:
    with _tail(stack, tmp_path) as tail:
        _wait_for_begin(tail, member)
        followed = [member.submit(f"probe.{queue}.sleep", kwargs={"seconds": 3}) for queue in ("cpu", "io")]
        for job_id in followed:
            waiting.until(partial(tail.has_ended, job_id), within_s=30, what=f"tail tells of the end of {job_id}")
        seen = {job_id: tail.states(job_id) for job_id in followed}

    for states in seen.values():
        assert "running" in states
        assert len(states) == len(set(states)), states


def test_tail_loses_no_end_to_a_restart_of_postgres(stack: Stack, member: Api, tmp_path: Path) -> None:
    with _tail(stack, tmp_path) as tail:
        _wait_for_begin(tail, member)
        jobs = [member.submit("probe.io.sleep", kwargs={"seconds": 6}) for _ in range(10)]
        with stack.stopped("postgres"):
            pass
        for job_id in jobs:
            member.wait(job_id, within_s=120)
        waiting.until(
            lambda: all(tail.states(job_id).count("succeeded") == 1 for job_id in jobs),
            within_s=30,
            what="tail tells of each end once",
        )


def test_tail_of_named_jobs_ends_with_them(stack: Stack, member: Api) -> None:
    job_id = member.submit("probe.io.sleep", kwargs={"seconds": 2})

    said = stack.execute("web", "python", "manage.py", "jobs", "tail", "--json", job_id)

    states = [json.loads(line)["state"] for line in said.splitlines()]
    assert states[-1] == "succeeded"


def test_queues_tells_who_works_on_what(stack: Stack, member: Api) -> None:
    with workers.not_consuming(stack, worker="io"):
        job_id = member.submit("probe.io.noop")
        member.wait(job_id, states=("queued",))
        told = {queue["name"]: queue for queue in _queues(stack)["queues"]}
    member.wait(job_id)

    assert told["cpu"]["workers"] == told["cpu"]["consumers"] == 1
    assert (told["io"]["consumers"], told["io"]["workers"]) == (0, 1)
    assert told["io"]["waiting"] >= 1
    assert told["io"]["messages"] >= 1
    assert told["io"]["oldest_wait_s"] >= 0


def test_queues_shows_postgres_part_without_rabbitmq(stack: Stack) -> None:
    with stack.stopped("rabbitmq"), pytest.raises(CommandFailedError) as failed:
        stack.execute("web", "python", "manage.py", "queues")

    assert "exit code 1" in str(failed.value)
    assert "The broker cannot be asked (" in str(failed.value)
    assert "cpu" in str(failed.value)


def _wait_for_begin(tail: Tail, member: Api) -> None:
    """It tells of nothing that ended before it looked first, so jobs are submitted until it tells of one."""
    waiting.until(lambda: member.submit("probe.cpu.noop") and tail.said(), within_s=60, what="tail tells of a job")


def _queues(stack: Stack) -> dict[str, Any]:
    return dict(json.loads(stack.execute("web", "python", "manage.py", "queues", "--json")))
