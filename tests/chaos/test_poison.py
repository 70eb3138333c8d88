"""Tasks that kill what runs them, or want too much: each ends with a reason, and everybody else's work succeeds."""

from collections.abc import Iterator

import pytest

from tests.chaos.ledger import Ledger
from tests.integration.stack import Stack

# An endless loop must end within a test's patience; no task of the ledger takes a second.
LIMITS = {"TASK_SOFT_TIME_LIMIT_S": "4", "TASK_TIME_LIMIT_S": "6"}

REASONS = {
    "ledger.cpu.leave": "delivery limit",
    "ledger.cpu.crash": "delivery limit",
    "ledger.cpu.spin": "time limit",
    "ledger.cpu.want_too_much": "MemoryError",
    "ledger.cpu.give_too_much": "RESULT_MAX_BYTES",
    "ledger.io.leave": "delivery limit",
}


@pytest.fixture
def _short_limits(stack: Stack) -> Iterator[None]:
    stack.change(LIMITS)
    yield
    stack.change({})


@pytest.mark.ci
@pytest.mark.usefixtures("_short_limits")
def test_poison_ends_with_a_reason_and_the_innocent_succeed(ledger: Ledger) -> None:
    submitted: list[tuple[str, str]] = []

    def submit_poison() -> None:
        submitted.extend((task, ledger.member.submit(task)) for task in REASONS)

    ledger.under("poison", submit_poison, times=2)

    ends = [(task, ledger.member.job(job_id)) for task, job_id in submitted]
    assert {job["state"] for _, job in ends} <= {"failed", "dead"}, ends
    astray = [(task, job["error"]) for task, job in ends if REASONS[task] not in str(job["error"])]
    assert not astray
