"""Faults that must strike a worker in the middle of a task: a long one is put there first, and looked after."""

from collections.abc import Callable
from uuid import uuid4

from tests.chaos.ledger import Ledger
from tests.stack import postgres

LONG_S = 6.0  # the time in which the fault must strike, and be seen to have
BEGUN_WITHIN_S = 120.0  # it queues behind the ledger's own jobs, on a machine that may be busy

_EFFECTS = "SELECT count(*) FROM ledger_effect WHERE key = :'key'"


def in_a_task(ledger: Ledger, fault: str, strike: Callable[[], None], *, queue: str, times: int) -> None:
    """`Ledger.under`, with a transactional task running at each strike; each takes effect once, at a later attempt."""
    struck: dict[str, str] = {}

    def strike_in_a_task() -> None:
        key = f"struck-{uuid4().hex[:8]}"
        call = {"key": key, "number": 1, "seconds": LONG_S}
        struck[key] = ledger.member.submit(f"ledger.{queue}.once", kwargs=call)
        ledger.member.wait(struck[key], states=("running",), within_s=BEGUN_WITHIN_S)
        strike()

    ledger.under(fault, strike_in_a_task, times=times)

    jobs = {key: ledger.member.job(job_id) for key, job_id in struck.items()}
    assert {(job["state"], job["result"]) for job in jobs.values()} == {("succeeded", 1)}, jobs  # noqa: S101  a test's
    assert min(job["attempt"] for job in jobs.values()) > 1, jobs  # noqa: S101  a test's
    effects = {key: postgres.number(ledger.stack, _EFFECTS, key=key) for key in jobs}
    assert set(effects.values()) == {1}, effects  # noqa: S101  a test's
