"""Processes that die without a word. The kernel kills them from outside their container, as it would for memory; the
engine starts a container again whose first process has died. `docker kill` would not do: it means "stay down".

The test runner shares the host's process ids for this (compose/host/test-chaos).
"""

import os
import signal
from pathlib import Path

from testcontainers.compose import ComposeContainer

from tests.integration import waiting
from tests.integration.stack import Stack

RESTARTED_WITHIN_S = 60
KILLABLE = ("worker-cpu", "worker-io", "relay", "beat", "web", "rabbitmq", "postgres")


def kill(stack: Stack, service: str) -> None:
    """SIGKILL for the first process of each of a service's containers; over when they run again."""
    for container in stack.containers(of=service):
        kill_container(stack, container)


def kill_container(stack: Stack, container: ComposeContainer) -> None:
    """SIGKILL for one container's first process; over when it runs again."""
    before = main_pid(stack, container)
    os.kill(before, signal.SIGKILL)
    wait_for_restart(stack, container, before=before)


def wait_for_restart(stack: Stack, container: ComposeContainer, *, before: int) -> None:
    """Until its first process is another than before."""
    waiting.until(
        lambda: main_pid(stack, container) not in (0, before),
        within_s=RESTARTED_WITHIN_S,
        what=f"{container.Name} runs again",
    )


def kill_child(stack: Stack, service: str) -> None:
    """SIGKILL for one of the processes that a service's main process has forked; it goes on itself."""
    os.kill(children(stack, service)[-1], signal.SIGKILL)


def children(stack: Stack, service: str) -> list[int]:
    """The host's ids of what the main process has forked, the oldest first."""
    pid = main_pid(stack, stack.container(service))
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def main_pid(stack: Stack, container: ComposeContainer) -> int:
    """The host's id of a container's first process; 0 while it has none."""
    return int(stack.inspect(container)["State"]["Pid"])
