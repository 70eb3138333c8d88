"""RabbitMQ as three nodes (compose/cluster.yaml): one is killed, stays away or loses its volume; then more than one."""

import itertools
import time
from collections.abc import Callable

import pytest

from tests.chaos.faults import cluster
from tests.chaos.faults.wires import LONGER_THAN_A_LEASE_S
from tests.chaos.ledger import Ledger
from tests.stack import django_code, waiting
from tests.stack.stack import WORKERS, Stack

pytestmark = pytest.mark.overlays("compose/cluster.yaml")

STRIKE_S = 30  # until the node is back and has caught up
GOES_ON_WITHIN_S = 10  # of the loss of a node
ANSWER_WITHIN_S = 30  # to a question that is broadcast; a worker that has just connected declares its queue anew

_PING = "from celery import current_app\nanswer = current_app.control.inspect(timeout=3).ping()"


def test_it_keeps_the_promise_when_each_node_in_turn_is_killed(ledger: Ledger, stack: Stack) -> None:
    nodes = itertools.cycle(cluster.NODES)

    ledger.under("cluster: each node kill -9", lambda: cluster.kill(stack, next(nodes)), times=3, each_s=STRIKE_S)

    _workers_hear(stack)


@pytest.mark.parametrize(
    ("what", "strike"),
    [
        ("that leads", lambda stack: cluster.kill_leader(stack, of="cpu")),
        ("with the clients", cluster.kill_connected),
    ],
)
def test_it_keeps_the_promise_when_a_node_that_matters_is_killed(
    ledger: Ledger, stack: Stack, what: str, strike: Callable[[Stack], None]
) -> None:
    ledger.under(f"cluster: node {what} kill -9", lambda: strike(stack), each_s=STRIKE_S)

    _workers_hear(stack)


@pytest.mark.parametrize("node", cluster.NODES)
def test_it_goes_on_while_a_node_stays_away(ledger: Ledger, stack: Stack, node: str) -> None:
    def stay_away() -> None:
        with cluster.away(stack, node):
            began = time.monotonic()
            _goes_on(ledger)
            _workers_hear(stack)
            time.sleep(max(0.0, LONGER_THAN_A_LEASE_S - (time.monotonic() - began)))
            _goes_on(ledger)

    ledger.under(f"cluster: {node} away", stay_away, times=1, each_s=LONGER_THAN_A_LEASE_S + STRIKE_S)


def test_it_keeps_the_promise_when_a_node_loses_its_volume(ledger: Ledger, stack: Stack) -> None:
    ledger.under("cluster: a node's volume wiped", lambda: cluster.wipe(stack, "rabbitmq-2"), times=1, each_s=STRIKE_S)


def test_it_accepts_and_catches_up_when_two_nodes_are_away(ledger: Ledger, stack: Stack) -> None:
    def stay_away() -> None:
        with cluster.away(stack, *cluster.NODES[:2]):
            time.sleep(LONGER_THAN_A_LEASE_S)

    ledger.under("cluster: two nodes away", stay_away, times=1, each_s=LONGER_THAN_A_LEASE_S + STRIKE_S)


def test_it_keeps_the_promise_when_all_nodes_are_killed_at_once(ledger: Ledger, stack: Stack) -> None:
    ledger.under("cluster: all kill -9", lambda: cluster.kill(stack, *cluster.NODES), times=2, each_s=2 * STRIKE_S)


def _goes_on(ledger: Ledger) -> None:
    """A new job of each queue is done soon; the ledger only sees that it is done in the end."""
    for queue in ("cpu", "io"):
        call = {"key": f"goes-on-{queue}-{time.monotonic_ns()}", "number": 1, "seconds": 0}
        job = ledger.member.wait(
            ledger.member.submit(f"ledger.{queue}.once", kwargs=call, priority=9), within_s=GOES_ON_WITHIN_S
        )
        assert job["state"] == "succeeded", job


def _workers_hear(stack: Stack) -> None:
    """Both workers answer to what is broadcast: their remote control has found a node too."""
    waiting.until(
        lambda: sum(name.startswith(WORKERS) for name in django_code.run(stack, _PING) or ()) == len(WORKERS),
        within_s=ANSWER_WITHIN_S,
        what="both workers answer",
    )
