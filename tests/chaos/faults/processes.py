"""Processes that die without a word. The kernel kills them from outside their container, as it would for memory; the
engine starts a container again whose first process has died. `docker kill` would not do: it means "stay down".

The test runner shares the host's process ids for this (compose/host/test-chaos).
"""

import os
import signal
import time
from pathlib import Path

from testcontainers.compose import ComposeContainer

from tests.stack import waiting
from tests.stack.stack import Stack

RESTARTED_WITHIN_S = 60
BUSY_WITHIN_S = 30
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


def freeze(stack: Stack, container: ComposeContainer, *, for_s: float) -> None:
    """Stop a container's first process where it stands, as a starved machine does, and let it go on after a while."""
    pid = main_pid(stack, container)
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(for_s)
    finally:
        os.kill(pid, signal.SIGCONT)


def wait_for_restart(stack: Stack, container: ComposeContainer, *, before: int) -> None:
    """Until its first process is another than before."""
    waiting.until(
        lambda: main_pid(stack, container) not in (0, before),
        within_s=RESTARTED_WITHIN_S,
        what=f"{container.Name} runs again",
    )


def kill_child(stack: Stack, service: str) -> None:
    """SIGKILL for one of the processes that a service's main process has forked, in the middle of a task."""
    main = main_pid(stack, stack.container(service))
    os.kill(
        waiting.until(lambda: _child_in_task(main), within_s=BUSY_WITHIN_S, what="a child is in a task"), signal.SIGKILL
    )


def _child_in_task(main: int) -> int:
    """The host's id of a child that sleeps, as the ledger's tasks do; a child without work reads from its pipe."""
    children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
    return next((int(child) for child in children if "sleep" in Path(f"/proc/{child}/wchan").read_text()), 0)


def main_pid(stack: Stack, container: ComposeContainer) -> int:
    """The host's id of a container's first process; 0 while it has none."""
    return int(stack.inspect(container)["State"]["Pid"])
