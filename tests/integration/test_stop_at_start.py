"""SIGTERM to a clock that has not finished starting: it leaves at once, not after Docker's patience."""

from collections.abc import Iterator

import pytest

from tests.stack import waiting
from tests.stack.stack import CommandFailedError, Stack

SIGTERM_BIT = 1 << 14
BY_SIGTERM = 143  # with 0 the started clock has left; 137 is Docker's SIGKILL


@pytest.fixture(params=["beat", "relay"])
def clock(stack: Stack, request: pytest.FixtureRequest) -> Iterator[str]:
    """A service whose container is stopped; it runs again after the test."""
    service: str = request.param
    with stack.stopped(service):
        yield service


def test_it_leaves_at_once_when_stopped_as_it_starts(stack: Stack, clock: str) -> None:
    container = str(stack.container(clock).ID)

    stack.engine("start", container)
    waiting.until(lambda: _handles_sigterm(stack, clock), within_s=10, what=f"{clock} handles SIGTERM")
    stack.engine("stop", container)

    assert stack.container(clock).ExitCode == BY_SIGTERM


def _handles_sigterm(stack: Stack, service: str) -> bool:
    try:
        status = stack.execute(service, "cat", "/proc/1/status")
    except CommandFailedError:  # it has just been started
        return False
    (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) & SIGTERM_BIT)
