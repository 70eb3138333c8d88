"""One stack and one browser for all tests; a fresh profile for each.

A page that logs an error, breaks its content policy or asks for what is not there fails its test: nobody reads a
browser's console otherwise.
"""

import os
import re
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.browser.site import Site
from tests.stack import account, api, started
from tests.stack.api import Api
from tests.stack.stack import Stack

FILES = ("compose/stack.yaml", "compose/mail.yaml", "tests/browser/compose.yaml")
TIMEOUT_MS = 20_000  # for anything that a page is to show; live parts come every few seconds
# Chromium's own sandbox needs rights that a container does not give; what it opens here is ours
FLAGS = ("--no-sandbox",)
STACK = pytest.StashKey[Stack]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "troubled: the console may complain, of a network that is cut or of what axe tries"
    )
    # `docker stop` of the runner ends it as Ctrl-C does, so that the stack is taken away
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    if report.failed and (stack := item.config.stash.get(STACK, None)):
        report.sections.append(("the stack", account.of(stack)))
    if report.failed and (page := getattr(item, "funcargs", {}).get("page")):
        name = re.sub(r"\W+", "-", item.name)
        page.screenshot(path=_reports() / f"failed-{name}.png", full_page=True)
    return report


@pytest.fixture(scope="session")
def stack(pytestconfig: pytest.Config) -> Iterator[Stack]:
    """The started stack; taken away with its volumes at the end, and also when it does not start."""
    # a fetch that succeeds needs somebody who answers, and here there is nobody outside
    values = {"FETCH_ALLOW_PRIVATE": "true"}
    with tempfile.TemporaryDirectory() as folder, started.stack(Path(folder), values=values, files=FILES) as stack:
        pytestconfig.stash[STACK] = stack
        yield stack


@pytest.fixture(scope="session")
def admin(stack: Stack) -> Api:
    """The API as the first administrator uses it, who sees all jobs."""
    return api.log_in(stack.web_url, email=stack.values["ADMIN_EMAIL"], password=stack.values["ADMIN_PASSWORD"])


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=os.environ["BROWSER"], args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture
def context(browser: Browser, stack: Stack) -> Iterator[BrowserContext]:
    """A browser that knows nothing yet."""
    fresh = browser.new_context(base_url=stack.web_url, viewport={"width": 1280, "height": 900}, locale="en-GB")
    fresh.set_default_timeout(TIMEOUT_MS)
    yield fresh
    fresh.close()


@pytest.fixture
def page(context: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Page]:
    """An empty window, whose console must stay silent."""
    opened = context.new_page()
    complaints: list[str] = []

    def note(said: ConsoleMessage) -> None:
        if said.type in {"error", "warning"}:
            complaints.append(said.text)

    opened.on("console", note)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    if not request.node.get_closest_marker("troubled"):
        assert complaints == []


@pytest.fixture
def door(page: Page) -> Site:
    """The dashboard, where nobody is logged in, and no page is open."""
    return Site(page, reports=_reports())


@pytest.fixture
def site(door: Site, stack: Stack) -> Site:
    """The dashboard, with the first administrator logged in."""
    door.log_in(email=stack.values["ADMIN_EMAIL"], password=stack.values["ADMIN_PASSWORD"])
    return door


def _reports() -> Path:
    return Path(os.environ["REPORTS_DIR"])
