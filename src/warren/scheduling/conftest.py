"""What the tests of scheduling share: several beats in one process, each in a thread of its own."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from celery.app import app_or_default
from django.db import connection
from pytest_django import Settings

from warren.scheduling import code_entries
from warren.scheduling.scheduler import Scheduler

TIMEOUT_S = 20
PAUSE_S = 0.02


class Beat:
    """A beat with its own thread, and so with its own session at Postgres. The app of the tests has no entries."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1)
        self.scheduler = self.do(lambda: Scheduler(app=app_or_default()))

    def start[T](self, work: Callable[[], T]) -> Future[T]:
        """Do the work in the beat's thread, without waiting for it."""
        return self._thread.submit(work)

    def do[T](self, work: Callable[[], T]) -> T:
        """Do the work in the beat's thread; its result."""
        return self.start(work).result(TIMEOUT_S)

    def turn(self, times: int = 1) -> bool:
        """Let it tick; whether it leads then."""
        for _ in range(times):
            self.do(self.scheduler.tick)
        return self.scheduler._leader.leads  # noqa: SLF001  a test may look inside its unit

    def leads_soon(self) -> bool:
        """Let it tick until it leads, for a while: Postgres takes its moment to end a session."""
        deadline = time.monotonic() + TIMEOUT_S
        while not (leads := self.turn()) and time.monotonic() < deadline:
            time.sleep(PAUSE_S)
        return leads

    def die(self) -> None:
        """End its session, as the end of its process would; returns when Postgres has noticed."""
        pid = self.do(backend_pid)
        self.do(_end_session)
        deadline = time.monotonic() + TIMEOUT_S
        while _is_there(pid) and time.monotonic() < deadline:
            time.sleep(PAUSE_S)

    def end(self) -> None:
        """Leave nothing behind."""
        self.do(_end_session)
        self._thread.shutdown()


def backend_pid() -> int:
    """The session of the thread that calls."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def _end_session() -> None:
    connection.close()  # looked up in the thread that calls


def _is_there(pid: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s)", [pid])
        return bool(cursor.fetchone()[0])


@pytest.fixture(autouse=True)
def _heartbeat_dir(settings: Settings, tmp_path: Path) -> None:
    """Each tick shows beat alive."""
    settings.HEARTBEAT_DIR = tmp_path


@pytest.fixture
def _no_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Connections as beat has them: closing one ends its session. Tests run as web, which has a pool."""
    connection.close()
    options = {name: value for name, value in connection.settings_dict["OPTIONS"].items() if name != "pool"}
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", options)
    yield
    connection.close()


@pytest.fixture
def _no_code_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_entries, "synchronise", lambda *_args, **_kwargs: None)


@pytest.fixture
def beats(_no_pool: None, transactional_db: None, _no_code_entries: None) -> Iterator[tuple[Beat, Beat]]:  # noqa: ARG001  brings the database
    """Two beats that have not ticked yet."""
    two = Beat(), Beat()
    yield two
    for beat in two:
        beat.end()


@pytest.fixture
def scheduler(_no_pool: None, transactional_db: None, _no_code_entries: None) -> Iterator[Scheduler]:  # noqa: ARG001  brings the database
    """A beat's scheduler in the test's own thread."""
    yield Scheduler(app=app_or_default())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock_all()")
