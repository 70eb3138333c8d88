"""Workers that answer over the real broker: each a node of Celery's remote control in a thread."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from celery.app import app_or_default

from warren.delivery.models import Worker
from warren.doctor.checks.workers import Workers
from warren.doctor.finding import Status
from warren.health import about, versions

pytestmark = pytest.mark.usefixtures("database")

type Tell = Callable[[], dict[str, Any]]
type Start = Callable[..., None]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a worker that lives, and answers with what it is given; with None it is deaf."""
    stopping, threads = threading.Event(), list[threading.Thread]()

    def begin(name: str, *, tell: Tell | None, command: str = about.COMMAND) -> None:
        Worker.objects.create(id=uuid4(), name=name, pool="prefork", concurrency=2, queues="cpu,io")
        if tell is None:
            return
        listening = threading.Event()
        threads.append(
            threading.Thread(target=_serve, args=(name, {command: lambda _state: tell()}, listening, stopping))
        )
        threads[-1].start()
        assert listening.wait(10)

    yield begin
    stopping.set()
    for thread in threads:
        thread.join()


def _serve(name: str, handlers: Any, listening: threading.Event, stopping: threading.Event) -> None:
    app: Any = app_or_default()
    with app.connection_for_read() as connection:
        node = app.control.mailbox.Node(name, state={}, handlers=handlers, channel=connection.default_channel)
        with node.listen():
            listening.set()
            while not stopping.is_set():
                with suppress(TimeoutError):
                    connection.drain_events(timeout=0.2)


def _honest() -> dict[str, Any]:
    return dict(about.about(None))


def test_workers_that_answer_are_fine(start: Start) -> None:
    start("cpu@a", tell=_honest)
    start("io@b", tell=_honest)
    workers = Workers()
    started = time.monotonic()

    findings = [workers.answer(), workers.clocks(), workers.versions()]

    assert [finding.status for finding in findings] == [Status.OK] * 3
    assert findings[0].found == "cpu@a, io@b answer"
    assert findings[2].found.startswith("all the same as here")
    assert time.monotonic() - started < 1.9, "it waits for no more than are alive"


def test_a_worker_that_does_not_answer_is_worth_a_warning(start: Start) -> None:
    start("cpu@a", tell=_honest)
    start("io@b", tell=None)

    finding = Workers().answer()

    assert finding.status is Status.WARN
    assert "no answer within 2 s: io@b; the others: 1" in finding.found


@pytest.mark.parametrize(("off_s", "status"), [(0.5, Status.OK), (10, Status.WARN), (-3600, Status.FAIL)])
def test_a_clock_that_is_off_is_found(start: Start, off_s: float, status: Status) -> None:
    start("cpu@a", tell=lambda: {**_honest(), "now": time.time() + off_s})

    finding = Workers().clocks()

    assert finding.status is status
    if status is not Status.OK:
        told_s = float(finding.found.split("cpu@a ")[1].split()[0])
        assert abs(told_s - off_s) < 1


def test_other_versions_are_told(start: Start) -> None:
    theirs = {**versions.here(), "celery": "5.6.0", "python": "3.12.1"}
    start("cpu@a", tell=lambda: {**_honest(), "versions": theirs})

    finding = Workers().versions()

    assert finding.status is Status.WARN
    assert f"cpu@a has celery 5.6.0, this one {versions.here()['celery']}" in finding.found
    assert "cpu@a has python 3.12.1" in finding.found
    assert "kombu" not in finding.found


def test_a_worker_of_older_code_is_told(start: Start) -> None:
    start("cpu@a", tell=_honest, command="ping")
    workers = Workers()

    assert workers.answer().status is Status.OK
    assert workers.clocks().status is Status.OK
    assert "cpu@a runs code that does not tell" in workers.versions().found
