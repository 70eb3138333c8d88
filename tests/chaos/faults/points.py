"""Deaths at an exact place in the code; see tests/chaos/app/fault_points.py."""

from tests.chaos.faults import processes
from tests.stack import waiting
from tests.stack.stack import Stack

DIES_WITHIN_S = 30


def die_in_child(stack: Stack, service: str, *, point: str) -> None:
    """Arm the point; over when a process of the service's pool has died there."""
    armed = f"/run/warren/die.{point}"
    stack.execute(service, "touch", armed)
    waiting.until(
        lambda: "gone" in stack.execute(service, "sh", "-c", f"test -e {armed} || echo gone"),
        within_s=DIES_WITHIN_S,
        what=f"a child died at {point}",
    )


def die_at(stack: Stack, service: str, *, point: str) -> None:
    """Arm the point; over when the process has died there and runs again."""
    container = stack.container(service)
    before = processes.main_pid(stack, container)
    stack.execute(service, "touch", f"/run/warren/die.{point}")
    processes.wait_for_restart(stack, container, before=before)
