"""Redis in RabbitMQ's place: killed, restarted, wiped. The promise is the same, because Postgres is the truth."""

import pytest

from tests.chaos.faults import redis
from tests.chaos.ledger import Ledger
from tests.integration.stack import Stack

pytestmark = pytest.mark.overlays("compose/redis.yaml")


def test_it_keeps_the_promise_when_redis_is_killed(ledger: Ledger, stack: Stack) -> None:
    ledger.under("Redis: kill -9", lambda: redis.kill(stack))


def test_it_keeps_the_promise_when_redis_is_restarted(ledger: Ledger, stack: Stack) -> None:
    ledger.under("Redis: restart", lambda: redis.restart(stack))


def test_it_keeps_the_promise_when_redis_is_wiped(ledger: Ledger, stack: Stack) -> None:
    ledger.under("Redis: volume wiped", lambda: redis.wipe(stack), times=2, each_s=25)
