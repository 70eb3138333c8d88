"""Redis in RabbitMQ's place: killed, restarted, wiped, and workers killed, whose messages Redis gives to nobody else.

The promise is the same, because Postgres is the truth.
"""

import pytest

from tests.chaos import struck
from tests.chaos.faults import processes, redis
from tests.chaos.ledger import Ledger
from tests.stack.stack import WORKERS, Stack

pytestmark = pytest.mark.overlays("compose/redis.yaml")


@pytest.mark.ci
def test_it_keeps_the_promise_when_redis_is_killed(ledger: Ledger, stack: Stack) -> None:
    ledger.under("Redis: kill -9", lambda: redis.kill(stack))


def test_it_keeps_the_promise_when_redis_is_restarted(ledger: Ledger, stack: Stack) -> None:
    ledger.under("Redis: restart", lambda: redis.restart(stack))


def test_it_keeps_the_promise_when_redis_is_wiped(ledger: Ledger, stack: Stack) -> None:
    ledger.under("Redis: volume wiped", lambda: redis.wipe(stack), times=2, each_s=25)


@pytest.mark.parametrize("service", WORKERS)
def test_it_keeps_the_promise_when_a_worker_is_killed(ledger: Ledger, stack: Stack, service: str) -> None:
    def kill() -> None:
        processes.kill(stack, service)

    struck.in_a_task(ledger, f"Redis: {service} kill -9", kill, queue=service.removeprefix("worker-"), times=3)
