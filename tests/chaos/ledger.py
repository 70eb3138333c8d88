"""A run of the ledger: jobs are submitted steadily, a fault strikes several times, and then the books are compared."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from tests.chaos import bookkeeping, settling, stall, submitters
from tests.chaos.entries import Entry
from tests.chaos.judge import Verdict, judge
from tests.chaos.report import Row
from tests.stack.api import Api
from tests.stack.stack import Stack

FULL, FULL_S = 1000, 30.0  # submissions, and how long they take
SMALL, SMALL_S = 200, 15.0  # for every change: enough to be struck in the middle of everything
SHORT_STRIKE_S = 5.0  # what most take, until the service runs again
BETWEEN = 1.5  # a full run is so many times as long as all strikes together
HTTP_SHARE = 0.2  # of the submissions
LATE_S = 300  # what submitters may take beyond their time: faults hold them up


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """One stack with its clients, and how much to submit. `record` takes the row of a run, `tell` what to show."""

    stack: Stack
    member: Api
    admin: Api
    record: Callable[[Row], None]
    tell: Callable[[str], None]
    small: bool

    def under(
        self,
        fault: str,
        strike: Callable[[], None],
        *,
        times: int = 3,
        each_s: float = SHORT_STRIKE_S,
        settles_within_s: float = settling.SETTLED_WITHIN_S,
    ) -> Verdict:
        """Let the fault strike so often in the middle of a run. Raises `AssertionError` unless the promise was kept.

        `strike` returns when the fault is over, which takes about `each_s`. A small run has as many as fit, but one.
        The books are closed when all is final, or `settles_within_s` after the last submission.
        """
        if self.small:
            times, duration_s = max(1, min(times, int(SMALL_S / each_s))), SMALL_S
        else:
            duration_s = max(FULL_S, times * each_s * BETWEEN)
        since, began = settling.now(self.stack), time.monotonic()
        with ThreadPoolExecutor(2) as pool:
            submitting = self._submit(pool, over_s=duration_s)
            for number in range(times):
                time.sleep(max(0.0, began + duration_s * (number + 0.5) / times - time.monotonic()))
                strike()
            entries = [entry for each in submitting for entry in each.result(timeout=duration_s + LATE_S)]
        return self._close(fault, entries, since=since, settles_within_s=settles_within_s)

    @property
    def submissions(self) -> int:
        """How many must be accepted in a run."""
        return SMALL if self.small else FULL

    def _submit(self, pool: ThreadPoolExecutor, *, over_s: float) -> list[Future[list[Entry]]]:
        run = submitters.new_run()
        by_http = round(self.submissions * HTTP_SHARE)
        by_code = self.submissions - by_http
        return [
            pool.submit(submitters.from_django, self.stack, run=run, submissions=by_code, over_s=over_s),
            pool.submit(submitters.from_outside, self.member, run=run, submissions=by_http, over_s=over_s),
        ]

    def _close(self, fault: str, entries: list[Entry], *, since: str, settles_within_s: float) -> Verdict:
        settling.wait_until_final(self.stack, since=since, within_s=settles_within_s)
        rests = settling.find_rests(self.stack)
        books = bookkeeping.close(self.stack, self.admin, entries=entries, since=since)
        verdict = judge(books)
        verdict = replace(verdict, wrong=[*verdict.wrong, *rests])
        self.record(Row.of(fault, verdict, stall_s=stall.longest_s(books.jobs, until=books.closed_at)))
        assert verdict.kept, f"{fault}\n{verdict}"  # noqa: S101  this is the tests' own assertion
        return verdict
