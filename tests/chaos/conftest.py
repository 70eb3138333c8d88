"""A stack to break, and the ledger that is kept meanwhile.

One stack serves as many tests as leave it as they found it; after a test that failed, the next gets a new one.
`@pytest.mark.overlays("compose/x.yaml")` asks for a stack with more compose files; those tests come together.
With `--numprocesses` of pytest-xdist there are several stacks side by side, each for the tests of a file: most of a run
waits.
"""

import signal
import tempfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.ledger import Ledger
from tests.chaos.report import PROPERTY, Report
from tests.chaos.stacks import Stacks
from tests.stack.stack import Stack

REPORT = pytest.StashKey[Report]()
STACKS = pytest.StashKey[Stacks]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--small", action="store_true", help="with small ledgers")
    parser.addoption("--minutes", type=float, default=10, help="how long soak.py goes on")
    parser.addoption("--seed", type=int, default=0, help="what soak.py's dice start from; 0 for any")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "overlays(*files): compose files over the stack")
    config.addinivalue_line("markers", "ci: of the sample that runs with every change")
    config.stash[REPORT] = report = Report(tell=lambda line: _tell(config, line))
    config.pluginmanager.register(_Reporting(report))
    # `docker stop` of the runner ends it as Ctrl-C does, so that the stack is taken away
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_overlays)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and (stacks := item.config.stash.get(STACKS, None)):
        report.sections.append(("the stack", stacks.describe()))
        stacks.save_logs(item.config.stash[REPORT].folder / item.name)
        stacks.spoil()
    return report


class _Reporting:
    """Where the table is printed: in the only process, or in the one that others report to."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self._report.add_all(report.user_properties)
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            self._report.tell(f"{report.nodeid} failed: {crash.message if crash else report.longreprtext}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.section("ledger")
    for line in config.stash[REPORT].lines():
        terminalreporter.write_line(line)
    config.stash[REPORT].save()


def _tell(config: pytest.Config, line: str) -> None:
    if reporter := config.pluginmanager.get_plugin("terminalreporter"):
        reporter.ensure_newline()
        reporter.write_line(line)


@pytest.fixture(scope="session")
def _stacks(pytestconfig: pytest.Config) -> Iterator[Stacks]:
    with tempfile.TemporaryDirectory() as folder:
        pytestconfig.stash[STACKS] = stacks = Stacks(Path(folder))
        try:
            yield stacks
        finally:
            stacks.remove()


@pytest.fixture
def stack(_stacks: Stacks, request: pytest.FixtureRequest) -> Stack:
    """A stack at rest, with the overlays that the test asks for."""
    return _stacks.get(_overlays(request.node))


@pytest.fixture
def ledger(
    stack: Stack, _stacks: Stacks, record_property: Callable[[str, object], None], pytestconfig: pytest.Config
) -> Ledger:
    """The ledger of a run on that stack."""
    return Ledger(
        stack=stack,
        member=_stacks.member,
        admin=_stacks.admin,
        record=lambda row: record_property(PROPERTY, asdict(row)),
        tell=pytestconfig.stash[REPORT].tell,
        small=pytestconfig.getoption("--small"),
    )


def _overlays(item: Any) -> tuple[str, ...]:
    marker = item.get_closest_marker("overlays")
    return tuple(marker.args) if marker else ()
