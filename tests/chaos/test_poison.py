"""Tasks that kill what runs them, or want too much: each ends with a reason, and everybody else's work succeeds."""

from collections.abc import Iterator

import pytest

from tests.chaos.ledger import Ledger
from tests.stack.stack import Stack

# An endless loop must end within a test's patience; no task of the ledger takes a second, but the machine may be busy.
LIMITS = {"TASK_SOFT_TIME_LIMIT_S": "12", "TASK_TIME_LIMIT_S": "15"}
# Each of four that kill is lost five times, from its second loss on alone and up to sixteen seconds later, and each
# time the worker starts anew; two spin until they are over their limit.
ENDS_WITHIN_S = 480
STRIKE_S = 15  # what the time limit takes

REASONS = {
    "leave": ("WorkersLost",),
    "crash": ("WorkersLost",),
    "spin": ("TimeLimitExceeded",),
    # it lasts until its limit, so those that kill may take it along five times
    "doze": ("TimeLimitExceeded", "WorkersLost"),
    "want_too_much": ("MemoryError",),
    "give_too_much": ("RESULT_MAX_BYTES",),
}
ON = {
    "cpu": ("leave", "crash", "spin", "want_too_much", "give_too_much"),
    # of a greenlet the pool ends only a wait; what computes on is failed by the worker, which then leaves
    "io": ("leave", "crash", "spin", "doze", "want_too_much", "give_too_much"),
}


@pytest.fixture
def _short_limits(stack: Stack) -> Iterator[None]:
    stack.change(LIMITS)
    yield
    stack.change({})


@pytest.mark.usefixtures("_short_limits")
@pytest.mark.parametrize("queue", [pytest.param("cpu", marks=pytest.mark.ci), "io"])
def test_poison_ends_with_a_reason_and_the_innocent_succeed(ledger: Ledger, queue: str) -> None:
    submitted: list[tuple[str, str]] = []

    def submit_poison() -> None:
        submitted.extend((kind, ledger.member.submit(f"ledger.{queue}.{kind}")) for kind in ON[queue])

    ledger.under(f"worker-{queue}: poison", submit_poison, times=2, each_s=STRIKE_S, settles_within_s=ENDS_WITHIN_S)

    ends = [(kind, ledger.member.wait(job_id, within_s=ENDS_WITHIN_S)) for kind, job_id in submitted]
    assert {job["state"] for _, job in ends} <= {"failed", "dead"}, ends
    astray = [
        (kind, job["error"]) for kind, job in ends if not any(reason in str(job["error"]) for reason in REASONS[kind])
    ]
    assert not astray
