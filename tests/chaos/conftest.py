"""A stack to break, and the ledger that is kept meanwhile.

One stack serves as many tests as leave it as they found it; after a test that failed, the next gets a new one.
`@pytest.mark.overlays("compose/x.yaml")` asks for a stack with more compose files; those tests come together.
"""

import signal
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.ledger import Ledger
from tests.chaos.report import Report
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
    config.stash[REPORT] = Report(tell=lambda line: _tell(config, line))
    # `docker stop` of the runner ends it as Ctrl-C does, so that the stack is taken away
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_overlays)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        told = item.config.stash[REPORT]
        told.tell(f"{item.name} failed: {call.excinfo.value if call.excinfo else report.longrepr}")
        if stacks := item.config.stash.get(STACKS, None):
            report.sections.append(("the stack", stacks.describe()))
            stacks.save_logs(told.folder / item.name)
            stacks.spoil()
    return report


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
def ledger(stack: Stack, _stacks: Stacks, pytestconfig: pytest.Config) -> Ledger:
    """The ledger of a run on that stack."""
    return Ledger(
        stack=stack,
        member=_stacks.member,
        admin=_stacks.admin,
        report=pytestconfig.stash[REPORT],
        small=pytestconfig.getoption("--small"),
    )


def _overlays(item: Any) -> tuple[str, ...]:
    marker = item.get_closest_marker("overlays")
    return tuple(marker.args) if marker else ()
