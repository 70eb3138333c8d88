"""Asks all the questions, in bounded time whatever hangs.

A thread for each service asks its checks one after the other, each in a thread of its own that can be left behind.

    a check hangs           after `CHECK_S` it is a FAIL; its thread is left, and its connection ends with the process
    a check raises          a FAIL with the error
    what it needs failed    SKIPPED, with the name of what failed; it is not asked
    all takes too long      after `limit_s` what is not known is SKIPPED

Owner of the findings: the lock. A thread that comes late finds its place taken, and changes nothing.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from warren.doctor.finding import Check, Finding, Status, fail, skipped

CHECK_S = 6.0  # each step to a service is bounded by less, so that it tells itself what does not answer
LIMIT_S = 25.0
WORKS = (Status.OK, Status.WARN)


class Examination:
    """One look at everything: `run()`."""

    def __init__(self, checks: Iterable[Check], *, limit_s: float = LIMIT_S, check_s: float = CHECK_S) -> None:
        self._checks = list(checks)
        self._limit_s = limit_s
        self._check_s = check_s
        self._findings: dict[str, Finding] = {}
        self._known = threading.Condition()

    def run(self) -> dict[str, Finding]:
        """What each check found, by name, in the order of the checks."""
        for service in {check.service for check in self._checks}:
            _start(partial(self._ask_all, [check for check in self._checks if check.service == service]), name=service)
        with self._known:
            self._known.wait_for(lambda: len(self._findings) == len(self._checks), self._limit_s)
            for check in self._checks:
                self._findings.setdefault(check.name, skipped(f"not asked within {self._limit_s:.0f} s"))
            return {check.name: self._findings[check.name] for check in self._checks}

    def _ask_all(self, checks: Sequence[Check]) -> None:
        for check in checks:
            if unfit := self._what_failed(check):
                self._note(check, skipped(f"{unfit} did not work"))
                continue
            asking = _start(partial(self._ask, check), name=check.name)
            asking.join(self._check_s)
            self._note(check, fail(f"no answer within {self._check_s:.0f} s", do=check.if_late))

    def _what_failed(self, check: Check) -> str | None:
        with self._known:
            self._known.wait_for(lambda: all(name in self._findings for name in check.needs), self._limit_s)
            for name in check.needs:
                if name not in self._findings or self._findings[name].status not in WORKS:
                    return name
        return None

    def _ask(self, check: Check) -> None:
        try:
            finding = check.examine()
        except Exception as exc:  # noqa: BLE001  whatever a check stumbles over is what was found
            finding = fail(f"{type(exc).__name__}: {exc}", do="Read the message; nobody has foreseen this.")
        self._note(check, finding)

    def _note(self, check: Check, finding: Finding) -> None:
        with self._known:
            self._findings.setdefault(check.name, finding)
            self._known.notify_all()


def _start(target: Callable[[], None], *, name: str) -> threading.Thread:
    thread = threading.Thread(target=target, name=f"doctor {name}", daemon=True)
    thread.start()
    return thread
