"""Cut wires: packets between two containers vanish, and neither is told.

By the packet filter inside the first one's own network; the test runner may enter it (compose/host/test-chaos).
"""

import subprocess
import time

from testcontainers.compose import ComposeContainer

from tests.chaos.faults import processes
from tests.stack.stack import Stack

LONGER_THAN_A_LEASE_S = 40.0
CUTTABLE = (
    ("worker-cpu", "rabbitmq"),
    ("worker-cpu", "postgres"),
    ("worker-io", "rabbitmq"),
    ("worker-io", "postgres"),
    ("relay", "rabbitmq"),
)


def cut(stack: Stack, service: str, *, off: str, for_s: float = LONGER_THAN_A_LEASE_S) -> None:
    """Part a service from another for a while."""
    cut_container(stack, stack.container(service), off=off, for_s=for_s)


def cut_container(stack: Stack, container: ComposeContainer, *, off: str, for_s: float) -> None:
    """Part one container from a service for a while."""
    pid = processes.main_pid(stack, container)
    address = _address(stack, off)
    _filter(pid, "--append", address)
    try:
        time.sleep(for_s)
    finally:
        # a container that was started anew meanwhile has a network of its own, which nobody cut
        if processes.main_pid(stack, container) == pid:
            _filter(pid, "--delete", address)


def _address(stack: Stack, service: str) -> str:
    networks = stack.inspect(stack.container(service))["NetworkSettings"]["Networks"]
    (back,) = [each for name, each in networks.items() if name.endswith("_back")]
    return str(back["IPAddress"])


def _filter(pid: int, change: str, address: str) -> None:
    for rule in (("INPUT", "--source"), ("OUTPUT", "--destination")):
        command = ["nsenter", "--target", str(pid), "--net", "iptables", change, *rule, address, "--jump", "DROP"]
        subprocess.run(command, check=True, capture_output=True)
