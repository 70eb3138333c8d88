"""One stack for all tests. Tests that want other settings say so with `@pytest.mark.settings(NAME="value")`."""

import signal
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration import own_app
from tests.stack import account, api, started
from tests.stack.api import Api
from tests.stack.stack import Stack

STACK = pytest.StashKey[Stack]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "settings(**values): run with these values in the workers' environment")
    # `docker stop` of the runner ends it as Ctrl-C does, so that the stack is taken away
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with the same settings run one after the other: each change recreates a worker."""
    items.sort(key=lambda item: sorted(_settings(item).items()))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and (stack := item.config.stash.get(STACK, None)):
        report.sections.append(("the stack", account.of(stack)))
    return report


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A temporary directory that the engine's host knows by the same path, as $TMPDIR; for what is mounted."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture(scope="session")
def shared_stack(folder: Path, pytestconfig: pytest.Config) -> Iterator[Stack]:
    """The started stack; taken away with its volumes at the end, and also when it does not start."""
    values = {"OWN_APP": str(own_app.make(folder, name="billing")), "WEBHOOK_RECEIVERS": "receiver"}
    with started.stack(folder, values=values) as stack:
        pytestconfig.stash[STACK] = stack
        yield stack


@pytest.fixture
def stack(shared_stack: Stack, request: pytest.FixtureRequest) -> Stack:
    """The stack with the settings of this test."""
    shared_stack.change(_settings(request.node))
    return shared_stack


@pytest.fixture(scope="module", autouse=True)
def _all_as_before(pytestconfig: pytest.Config) -> Iterator[None]:
    """Of each service as many containers as it found: whoever leaves more fails, not the file that comes next."""
    before = _count(pytestconfig)
    yield
    assert before in (_count(pytestconfig), {}), "this file leaves the stack otherwise than it found it"


@pytest.fixture(scope="session")
def _member(shared_stack: Stack) -> Api:
    return api.register(shared_stack.web_url)


@pytest.fixture
def member(stack: Stack, _member: Api) -> Api:  # noqa: ARG001  stack brings this test's settings about
    """The client of a plain user."""
    return _member


@pytest.fixture(scope="session")
def _admin(shared_stack: Stack) -> Api:
    values = shared_stack.values
    return api.log_in(shared_stack.web_url, email=values["ADMIN_EMAIL"], password=values["ADMIN_PASSWORD"])


@pytest.fixture
def admin(stack: Stack, _admin: Api) -> Api:  # noqa: ARG001  stack brings this test's settings about
    """The client of the first administrator, who sees all jobs."""
    return _admin


def _count(config: pytest.Config) -> Counter[str]:
    stack = config.stash.get(STACK, None)
    return Counter(str(each.Service) for each in stack.containers()) if stack else Counter()


def _settings(item: Any) -> dict[str, str]:
    marker = item.get_closest_marker("settings")
    return dict(marker.kwargs) if marker else {}
