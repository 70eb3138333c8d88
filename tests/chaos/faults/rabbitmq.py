"""What can befall the broker."""

import time

from tests.chaos.faults import processes
from tests.stack import rabbitmq
from tests.stack.stack import Stack

ALARM_S = 20.0  # longer than the relay waits for a confirm


def stop(stack: Stack) -> None:
    """An orderly stop, some seconds of absence, a start."""
    with stack.stopped("rabbitmq"):
        pass


def kill(stack: Stack) -> None:
    """kill -9; the engine starts it again."""
    processes.kill(stack, "rabbitmq")


def restart(stack: Stack) -> None:
    """As an upgrade does it."""
    stack.compose("restart", "rabbitmq")


def memory_alarm(stack: Stack) -> None:
    """It takes nothing from publishers for as long as it thinks that memory is short."""
    _alarm(stack, ("set_vm_memory_high_watermark", "0.0001"), ("set_vm_memory_high_watermark", "0.6"))


def disk_alarm(stack: Stack) -> None:
    """The same, for the disk."""
    _alarm(stack, ("set_disk_free_limit", "1000000GB"), ("set_disk_free_limit", "512MB"))


def wipe(stack: Stack) -> None:
    """It comes back without anything: no messages, no queues, no users."""
    rabbitmq.wipe(stack)
    stack.up("rabbitmq")


def _alarm(stack: Stack, on: tuple[str, str], off: tuple[str, str]) -> None:
    stack.execute("rabbitmq", "rabbitmqctl", *on)
    try:
        time.sleep(ALARM_S)
    finally:
        stack.execute("rabbitmq", "rabbitmqctl", *off)
