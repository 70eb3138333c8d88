"""One process of worker-cpu's pool dies and the main process lives: by kill -9, and by the container's memory limit."""

from itertools import count

import pytest

from tests.chaos.faults import points, processes
from tests.chaos.ledger import Ledger
from tests.stack import postgres
from tests.stack.stack import Stack

_EFFECTS = "SELECT count(*) FROM ledger_effect WHERE key = :'key'"


@pytest.mark.ci
def test_it_keeps_the_promise_when_a_prefork_child_is_killed(ledger: Ledger, stack: Stack) -> None:
    verdict = ledger.under("prefork child: kill -9", lambda: processes.kill_child(stack, "worker-cpu"), times=5)

    assert verdict.repeated_attempts, "no job was struck"


def test_it_keeps_the_promise_when_a_prefork_child_dies_between_commit_and_ack(ledger: Ledger, stack: Stack) -> None:
    ledger.under(
        "prefork child: dies after the commit",
        lambda: points.die_in_child(stack, "worker-cpu", point="job-finished"),
        times=5,
    )


def test_it_keeps_the_promise_when_a_prefork_child_takes_too_much_memory(ledger: Ledger, stack: Stack) -> None:
    numbers = count()
    swollen: dict[str, str] = {}

    def swell() -> None:
        key = f"swell-{next(numbers)}"
        swollen[key] = ledger.member.submit("ledger.cpu.swell_once", kwargs={"key": key})

    ledger.under("prefork child: memory limit", swell)

    jobs = {key: ledger.member.job(job_id) for key, job_id in swollen.items()}
    assert {(job["state"], job["result"]) for job in jobs.values()} == {("succeeded", 1)}
    assert {job["attempt"] > 1 for job in jobs.values()} == {True}
    assert {postgres.number(stack, _EFFECTS, key=key) for key in jobs} == {1}
