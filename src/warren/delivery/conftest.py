"""What the tests of delivery share: real queues, and a worker's way of running a task."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from celery import Celery, Task, current_app
from celery.app import app_or_default
from celery.app.trace import build_tracer
from django.db import connection, transaction
from django.db.models import QuerySet
from kombu import Queue

from warren.delivery import listening, topology
from warren.delivery.models import OutboxMessage
from warren.delivery.relay import Relay

QUEUES = ("cpu", "io")
WITHIN_S = 20.0


@pytest.fixture(scope="session", autouse=True)
def listeners_do_not_linger() -> Iterator[None]:
    """A connection that outlives its test would keep the test database from being dropped."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listening, "LINGER_S", 0.0)
        patch.setattr(listening, "LOOK_EVERY_S", 0.1)
        yield
        while listening.listener._thread is not None:  # noqa: SLF001  nobody else asks
            time.sleep(0.05)


def none_waits(queue: str, /, *, urgent: bool, now: datetime) -> datetime:  # noqa: ARG001  any queue
    """The answer of a broker whose queues are empty: a `WaitingSince`."""
    return now


def cannot_tell(queue: str, /, *, urgent: bool, now: datetime) -> None:
    """The answer of a broker that is away, or that is RabbitMQ and has messages."""


@contextmanager
def locked_elsewhere(rows: QuerySet[Any]) -> Iterator[None]:
    """These rows, which must be committed, locked by another transaction inside the block."""
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            list(rows.select_for_update())
            held.set()
            let_go.wait(10)
        connection.close()

    other = threading.Thread(target=hold)
    other.start()
    assert held.wait(10)
    try:
        yield
    finally:
        let_go.set()
        other.join()


@pytest.fixture
def app() -> Celery:
    return app_or_default()


@pytest.fixture
def queues(app: Celery) -> Iterator[dict[str, Queue]]:
    """The declared queues, empty, in the real broker; by name."""
    specs = [topology.QueueSpec(name=name, worker="cpu", purpose="tests") for name in QUEUES]
    with app.connection_for_write() as connection:
        made = {}
        for name, arguments in topology.declarations(specs).items():
            made[name] = Queue(name, routing_key=name, queue_arguments=arguments)(connection.default_channel)
            made[name].queue_declare()
            if name in QUEUES:  # a test may have deleted it
                made[name].bind_to(topology.LOSABLE_EXCHANGE, name)
            made[name].purge()
        yield made


@pytest.fixture
def relay(app: Celery, queues: dict[str, Queue]) -> Iterator[Relay]:  # noqa: ARG001  the relay publishes to them
    """A relay that knows its broker, as it does before its first pass."""
    made = Relay(app, on_pass=lambda: None)
    made.look_for_wipe()
    yield made
    made.close()


type Deliver = Callable[..., Any]


@pytest.fixture
def deliver(app: Celery) -> Deliver:
    """Runs a task as a worker does when a message arrives; returns Celery's trace outcome."""

    def run(
        task: Task[Any, Any],
        job_id: str,
        /,
        *args: Any,
        redelivered: bool = False,
        message_id: str = "",
        **headers: Any,
    ) -> Any:
        request = {
            "id": job_id,
            "hostname": "worker-test@here",
            "delivery_info": {"routing_key": "cpu", "redelivered": redelivered},
            "properties": {"message_id": message_id},
            **headers,
        }
        return build_tracer(task.name, task, app=app)(job_id, list(args), {}, request)

    return run


type Run = Callable[[], int]


@pytest.fixture
def run(deliver: Deliver) -> Run:
    """Delivers what is in the outbox until it is empty; returns how many messages that were."""

    def run_all() -> int:
        count = 0
        while message := OutboxMessage.objects.order_by("id").first():
            message.delete()
            envelope = message.job.envelope
            args, kwargs, embed = json.loads(envelope.body)
            assert not kwargs
            headers = {name: value for name, value in envelope.headers.items() if name != "id"}
            deliver(current_app.tasks[envelope.headers["task"]], message.job_id, *args, **headers, **embed)
            count += 1
        return count

    return run_all


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Asks until the condition holds; fails when it does not in time."""

    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WITHIN_S
        while not condition():
            assert time.monotonic() < deadline, f"the condition did not come true within {WITHIN_S} s"
            time.sleep(0.05)

    return wait
