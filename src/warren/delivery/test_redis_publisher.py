"""The relay with Redis for a broker; what only differs in the broker's name is tested with RabbitMQ."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import Celery, shared_task
from django.conf import settings
from django.utils import timezone
from kombu import Connection, Queue

from warren.delivery import topology
from warren.delivery.models import Job, OutboxMessage
from warren.delivery.publisher import BrokerError
from warren.delivery.reconciler import LOST_AFTER
from warren.delivery.redis_publisher import RedisPublisher
from warren.delivery.relay import Relay
from warren.delivery.states import State

pytestmark = pytest.mark.django_db(transaction=True)

URL = f"redis://default:{settings.BROKER_PASSWORD}@redis:6379/0"


@shared_task(name="redis.add", queue="cpu")
def add(left: int, right: int) -> int:
    return left + right


@shared_task(name="redis.note", queue="cpu", durable=False)  # type: ignore[call-overload, untyped-decorator]  # celery-types lacks ours
def note(what: str) -> None: ...


type UseBroker = Callable[[str], None]


@pytest.fixture
def use_broker(app: Celery, monkeypatch: pytest.MonkeyPatch) -> UseBroker:
    """Makes this address the app's broker for the test."""

    def use(url: str) -> None:
        monkeypatch.setattr(app.conf, "broker_write_url", url)
        monkeypatch.setattr(app.amqp, "_producer_pool", None)

    return use


@pytest.fixture
def redis(use_broker: UseBroker) -> Iterator[Any]:
    """An empty Redis, which is the app's broker; yields redis-py's client."""
    use_broker(URL)
    with Connection(URL) as connection:
        client: Any = connection.default_channel.client  # type: ignore[attr-defined]  # Redis' own
        client.flushall()
        yield client
        client.config_set("maxmemory", "320mb")


@pytest.fixture
def relay(app: Celery, redis: Any) -> Iterator[Relay]:  # noqa: ARG001  the broker must be chosen first
    """A relay that knows its broker."""
    made = Relay(app, on_pass=lambda: None)
    assert isinstance(made._publisher, RedisPublisher)
    made.look_for_wipe()
    yield made
    made.close()


type Publish = Callable[..., str]


@pytest.fixture
def publish(relay: Relay) -> Publish:
    """Makes a job whose message a relay published so long `ago`; returns its id."""

    def run(*, ago: timedelta, priority: int = 0) -> str:
        job_id = str(add.apply_async((1, 2), priority=priority).id)
        message = OutboxMessage.objects.get(job_id=job_id)
        at = timezone.now() - ago
        relay._publisher.publish([message], at=at)
        message.delete()
        Job.objects.filter(pk=job_id).update(state=State.QUEUED, queued_at=at)
        return job_id

    return run


@pytest.fixture
def cpu(redis: Any) -> Iterator[Queue]:  # noqa: ARG001  the broker must be empty first
    """The queue as a Celery worker reads it."""
    with Connection(URL) as connection:
        yield Queue("cpu", no_declare=True)(connection.default_channel)


def _ids_in(queue: Queue) -> list[str]:
    return [message.headers["id"] for message in iter(lambda: queue.get(no_ack=True), None)]


def test_it_publishes_what_a_celery_worker_reads(relay: Relay, cpu: Queue) -> None:
    result = add.delay(1, 2)

    assert relay.run_pass() == 1

    message = cpu.get(no_ack=True)
    assert message is not None
    assert (message.headers["id"], message.content_type) == (result.id, "application/json")
    assert message.payload[0] == [1, 2]
    assert message.properties["correlation_id"] == result.id
    assert message.delivery_info == {"exchange": "", "routing_key": "cpu"}
    assert Job.objects.get().state == State.QUEUED
    assert not OutboxMessage.objects.exists()


def test_it_hands_out_urgent_messages_first_and_the_others_in_order(relay: Relay, cpu: Queue) -> None:
    results = [add.apply_async((1, 2), priority=priority) for priority in (0, 4, 9, 5)]

    relay.run_pass()

    assert _ids_in(cpu) == [results[place].id for place in (2, 3, 0, 1)]


def test_it_refuses_what_no_worker_would_read_and_sends_the_others(relay: Relay, cpu: Queue) -> None:
    nowhere, poison, sent = add.delay(1, 2), add.delay(3, 4), add.delay(5, 6)
    message = Job.objects.get(pk=nowhere.id).message
    Job.objects.filter(pk=nowhere.id).update(message=message.replace('"routing_key": "cpu"', '"routing_key": "cpuu"'))
    Job.objects.filter(pk=poison.id).update(message="")

    assert relay.run_pass() == 1

    errors = dict(OutboxMessage.objects.values_list("job_id", "last_error"))
    assert "no queue takes 'cpuu'" in errors[nowhere.id]
    assert "not a message" in errors[poison.id]
    assert _ids_in(cpu) == [sent.id]


def test_it_keeps_the_row_with_the_reason_when_redis_is_full(relay: Relay, redis: Any) -> None:
    add.delay(1, 2)
    redis.config_set("maxmemory", "1")

    assert relay.run_pass() == 0

    assert "Redis refused it: " in OutboxMessage.objects.get().last_error
    assert "maxmemory" in OutboxMessage.objects.get().last_error


def test_it_tells_since_when_the_next_message_of_each_priority_waits(relay: Relay, publish: Publish) -> None:
    now = timezone.now()
    for minutes, priority in ((5, 0), (4, 9), (3, 0), (2, 9)):
        publish(ago=timedelta(minutes=minutes), priority=priority)

    waits = {urgent: relay._publisher.waiting_since("cpu", urgent=urgent, now=now) for urgent in (True, False)}

    minutes_ago = {urgent: round((now - since) / timedelta(minutes=1)) for urgent, since in waits.items() if since}
    assert minutes_ago == {True: 4, False: 5}
    assert relay._publisher.waiting_since("io", urgent=False, now=now) == now


def test_it_tells_when_a_pass_published(relay: Relay) -> None:
    add.delay(1, 2)
    relay.run_pass()

    since = relay._publisher.waiting_since("cpu", urgent=False, now=timezone.now() + LOST_AFTER)

    queued_at = Job.objects.get().queued_at
    assert since is not None
    assert queued_at is not None
    assert abs(since - queued_at) < timedelta(seconds=1)


@pytest.mark.parametrize("foreign", ["no JSON", "[]", '{"properties": {}}'])
def test_it_cannot_tell_when_the_next_message_is_not_from_a_relay(relay: Relay, redis: Any, foreign: str) -> None:
    redis.lpush(f"cpu\x06\x16{topology.REDIS_NORMAL}", foreign)

    assert relay._publisher.waiting_since("cpu", urgent=False, now=timezone.now()) is None


def test_it_cannot_tell_when_the_next_message_may_be_lost(relay: Relay, cpu: Queue) -> None:
    note.delay("x")

    assert relay._publisher.waiting_since("cpu", urgent=False, now=timezone.now()) is None
    assert len(_ids_in(cpu)) == 1


@pytest.mark.parametrize("priority", [0, 9])
def test_it_sends_again_what_a_dead_worker_had_fetched_while_much_waits(
    relay: Relay, cpu: Queue, publish: Publish, priority: int
) -> None:
    fetched = [publish(ago=5 * LOST_AFTER, priority=priority) for _ in range(2)]
    waiting = [publish(ago=ago * LOST_AFTER, priority=priority) for ago in (3, 2, 0)]
    if priority:
        publish(ago=6 * LOST_AFTER)  # urgent ones overtake it
    for _ in fetched:
        assert cpu.get() is not None  # not acked, and its worker is never heard of again

    relay.reconcile()

    assert {message.job_id for message in OutboxMessage.objects.all()} == set(fetched)
    relay.run_pass()
    assert _ids_in(cpu)[: len(waiting) + len(fetched)] == waiting + fetched


def test_it_sends_nothing_again_because_an_older_message_of_a_job_is_next(
    relay: Relay, cpu: Queue, publish: Publish
) -> None:
    sent_twice = publish(ago=5 * LOST_AFTER)
    stopped: Any = cpu.get()
    waiting = [publish(ago=ago * LOST_AFTER) for ago in (4, 3, 2)]
    relay.reconcile()
    relay.run_pass()
    assert stopped.headers["id"] == sent_twice
    stopped.channel._restore(stopped)  # as at the end of a worker that stops: it is next in the queue

    relay.reconcile()

    assert not OutboxMessage.objects.exists()
    assert _ids_in(cpu) == [sent_twice, *waiting, sent_twice]


def test_it_sends_everything_again_when_redis_was_emptied_under_its_connection(
    relay: Relay, redis: Any, cpu: Queue
) -> None:
    results = [add.delay(number, 1) for number in range(5)]
    relay.run_pass()
    redis.flushall()

    relay.reconcile()
    relay.run_pass()
    relay.reconcile()
    relay.run_pass()

    assert _ids_in(cpu) == [result.id for result in results]


def test_it_raises_and_keeps_every_row_when_redis_is_away(app: Celery, use_broker: UseBroker) -> None:
    use_broker("redis://127.0.0.1:1/0")
    add.delay(1, 2)
    unreachable = Relay(app, on_pass=lambda: None)

    with pytest.raises(BrokerError, match="Redis"):
        unreachable.run_pass()

    assert OutboxMessage.objects.count() == 1
    assert unreachable._publisher.waiting_since("cpu", urgent=False, now=timezone.now()) is None


@pytest.mark.usefixtures("redis")
def test_it_takes_what_may_be_lost_without_an_exchange(cpu: Queue) -> None:
    result = note.delay("x")

    message = cpu.get(no_ack=True)
    assert message is not None
    assert message.headers["id"] == result.id
    assert "losable" in message.headers


@pytest.mark.parametrize(("priority", "spelled"), [(None, 3), (0, 3), (4, 3), (5, 0), (9, 0)])
def test_it_knows_two_priorities_as_quorum_queues_do(priority: int | None, spelled: int) -> None:
    assert topology.redis_priority(priority) == spelled
