"""Deaths at an exact place in the code; see tests/chaos/app/fault_points.py."""

from tests.chaos.faults import processes
from tests.integration.stack import Stack


def die_at(stack: Stack, service: str, *, point: str) -> None:
    """Arm the point; over when the process has died there and runs again."""
    container = stack.container(service)
    before = processes.main_pid(stack, container)
    stack.execute(service, "touch", f"/run/warren/die.{point}")
    processes.wait_for_restart(stack, container, before=before)
