"""What can befall Redis where it is the broker (compose/redis.yaml)."""

from tests.chaos.faults import processes
from tests.stack.stack import Stack


def kill(stack: Stack) -> None:
    """kill -9; the engine starts it again, with what its file has."""
    processes.kill(stack, "redis")


def restart(stack: Stack) -> None:
    """As an upgrade does it."""
    stack.compose("restart", "redis")


def wipe(stack: Stack) -> None:
    """It comes back without anything."""
    stack.compose("rm", "--stop", "--force", "redis")
    stack.remove_volume("redis")
    stack.up("redis")
