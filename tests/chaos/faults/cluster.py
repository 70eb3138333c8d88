"""What can befall the nodes of a RabbitMQ cluster (compose/cluster.yaml)."""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tests.chaos.faults import processes
from tests.stack import waiting
from tests.stack.stack import CommandFailedError, Stack

NODES = ("rabbitmq", "rabbitmq-2", "rabbitmq-3")
WHOLE_WITHIN_S = 120


def kill(stack: Stack, *nodes: str) -> None:
    """kill -9 of these nodes at one moment; over when each runs again and every queue has all its copies."""
    containers = [stack.container(node) for node in nodes]
    before = [processes.main_pid(stack, container) for container in containers]
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    for container, pid in zip(containers, before, strict=True):
        processes.wait_for_restart(stack, container, before=pid)
    wait_until_whole(stack)


def kill_leader(stack: Stack, *, of: str) -> None:
    """kill -9 of the node that leads a queue."""
    kill(stack, _leaders(stack)[of])


def kill_connected(stack: Stack) -> None:
    """kill -9 of the node that most clients are connected to."""
    ((node, _),) = Counter(_connections(stack)).most_common(1)
    kill(stack, node)


@contextmanager
def away(stack: Stack, *nodes: str) -> Iterator[None]:
    """These nodes killed inside the block, and nobody starts them; at its end they are, and have caught up."""
    stack.compose("kill", *nodes)  # what the engine kills on demand, it does not start again
    try:
        yield
    finally:
        # not waited for by compose: of two that start at once one may fail, and is started again by the engine
        stack.compose("start", *nodes)
        wait_until_whole(stack)


def wipe(stack: Stack, node: str) -> None:
    """A node loses its volume and is made anew, as the documentation says."""
    stack.compose("rm", "--stop", "--force", node)
    stack.remove_volume(node)
    stack.up(node)
    wait_until_whole(stack)


def wait_until_whole(stack: Stack) -> None:
    """Until every node is healthy and every queue has a running copy on each."""
    waiting.until(lambda: _is_whole(stack), within_s=WHOLE_WITHIN_S, what="the cluster is whole again")


def _is_whole(stack: Stack) -> bool:
    if not all(stack.is_healthy(node) for node in NODES):
        return False
    try:
        running = _ask(stack, "list_queues", "online", "type")
    except CommandFailedError:
        return False  # it is not back yet
    quorum = [online for online, kind in running if kind == "quorum"]
    return bool(quorum) and all(online.count("@") == len(NODES) for online in quorum)


def _leaders(stack: Stack) -> dict[str, str]:
    return {name: leader.removeprefix("rabbit@") for name, leader in _ask(stack, "list_queues", "name", "leader")}


def _connections(stack: Stack) -> list[str]:
    pids = [pid for (pid,) in _ask(stack, "list_connections", "pid")]  # as in <rabbit@rabbitmq-2.1763838000.812.0>
    return [pid.removeprefix("<rabbit@").partition(".")[0] for pid in pids]


def _ask(stack: Stack, *command: str) -> list[list[str]]:
    """The rows of an answer of rabbitmqctl, from the first node that runs."""
    node = next(node for node in NODES if stack.is_healthy(node))
    vhost = ("--vhost", "warren") if command[0] == "list_queues" else ()
    said = stack.execute(node, "rabbitmqctl", "--quiet", *vhost, command[0], *command[1:])
    return [line.split("\t") for line in said.splitlines()[1:] if line]
