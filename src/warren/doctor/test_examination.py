"""The examination ends in bounded time, and never without an answer for each check."""

import threading
import time
from collections.abc import Iterator

import pytest

from warren.doctor.examination import Examination
from warren.doctor.finding import Check, Finding, Status, fail, ok, warn


@pytest.fixture
def hang() -> Iterator[threading.Event]:
    """What a check may wait for in vain; set after the test."""
    event = threading.Event()
    yield event
    event.set()


def _waiting(event: threading.Event) -> Finding:
    event.wait()
    return ok("too late")


def _fine() -> Finding:
    return ok("fine")


def test_it_gives_what_each_check_found_in_their_order() -> None:
    checks = [
        Check(name="b.one", examine=lambda: warn("hm", do="look")),
        Check(name="a.one", examine=_fine),
        Check(name="b.two", examine=_fine, needs=("b.one", "a.one")),
    ]

    findings = Examination(checks).run()

    assert list(findings) == ["b.one", "a.one", "b.two"]
    assert [each.status for each in findings.values()] == [Status.WARN, Status.OK, Status.OK]


def test_what_needs_something_that_fails_is_not_asked() -> None:
    asked: list[str] = []

    def ask() -> Finding:
        asked.append("it")
        return ok("")

    checks = [
        Check(name="a.reachable", examine=lambda: fail("away", do="start it")),
        Check(name="a.tables", examine=ask, needs=("a.reachable",)),
        Check(name="b.rows", examine=ask, needs=("a.tables",)),
    ]

    findings = Examination(checks).run()

    assert asked == []
    assert findings["a.tables"] == Finding(status=Status.SKIPPED, found="a.reachable did not work")
    assert findings["b.rows"].found == "a.tables did not work"


def test_a_check_that_hangs_fails_and_holds_nobody_up(hang: threading.Event) -> None:
    checks = [
        Check(name="a.hangs", examine=lambda: _waiting(hang), if_late="start it"),
        Check(name="a.next", examine=_fine),
        Check(name="b.other", examine=_fine),
    ]
    started = time.monotonic()

    findings = Examination(checks, check_s=0.5).run()

    assert time.monotonic() - started < 5
    assert [each.status for each in findings.values()] == [Status.FAIL, Status.OK, Status.OK]
    assert "no answer within" in findings["a.hangs"].found
    assert findings["a.hangs"].do == "start it"


def test_the_whole_is_bounded_too(hang: threading.Event) -> None:
    checks = [Check(name=f"a.{number}", examine=lambda: _waiting(hang)) for number in range(20)]
    started = time.monotonic()

    findings = Examination(checks, check_s=0.5, limit_s=1.2).run()

    assert time.monotonic() - started < 5
    assert {each.status for each in findings.values()} == {Status.FAIL, Status.SKIPPED}
    assert findings["a.19"].found == "not asked within 1 s"


def test_an_answer_that_comes_late_changes_nothing(hang: threading.Event) -> None:
    examination = Examination([Check(name="a.late", examine=lambda: _waiting(hang))], check_s=0.1)
    findings = examination.run()

    hang.set()

    assert findings["a.late"].status is Status.FAIL


def test_an_error_is_what_was_found() -> None:
    def stumble() -> Finding:
        raise KeyError("maxmemory")

    findings = Examination([Check(name="a.stumbles", examine=stumble)]).run()

    assert findings["a.stumbles"].status is Status.FAIL
    assert findings["a.stumbles"].found == "KeyError: 'maxmemory'"
