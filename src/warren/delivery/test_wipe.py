import pytest
from celery import Celery, shared_task
from django.db import connection
from kombu import Exchange, Queue

from warren.delivery import wipe
from warren.delivery.models import BrokerMark, Job, OutboxMessage
from warren.delivery.publisher import BrokerError
from warren.delivery.relay import Relay
from warren.delivery.states import FINAL, State
from warren.delivery.topology import MARK_PREFIX

pytestmark = pytest.mark.django_db(transaction=True)

type Queues = dict[str, Queue]


@shared_task(name="wipe.add", queue="cpu")
def add(left: int, right: int) -> int:
    return left + right


def _wipe(app: Celery, queues: Queues) -> None:
    with app.connection_for_write() as broker:
        Exchange(f"{MARK_PREFIX}{BrokerMark.objects.get().name}")(broker.default_channel).delete()
    for queue in queues.values():
        queue.purge()


def _ids_in(queue: Queue) -> list[str]:
    return [message.headers["id"] for message in iter(lambda: queue.get(no_ack=True), None)]


def test_it_sends_everything_again_at_once_when_the_broker_was_wiped(app: Celery, relay: Relay, queues: Queues) -> None:
    results = [add.delay(number, 1) for number in range(5)]
    relay.run_pass()
    _wipe(app, queues)
    results.append(add.delay(5, 1))

    relay.look_for_wipe()
    relay.run_pass()

    assert sorted(_ids_in(queues["cpu"])) == sorted(result.id for result in results)
    assert set(Job.objects.values_list("state", flat=True)) == {State.QUEUED}


def test_it_keeps_the_order_and_all_batches_when_there_are_several(
    app: Celery, relay: Relay, queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wipe, "BATCH", 2)
    results = []
    for number in range(5):
        results.append(add.delay(number, 1))
        relay.run_pass()
    _wipe(app, queues)
    signs_of_life: list[int] = []

    wipe.make_good(relay._publisher, on_batch=lambda: signs_of_life.append(1))
    relay.run_pass()

    assert _ids_in(queues["cpu"]) == [result.id for result in results]
    assert len(signs_of_life) == 3


def test_it_does_nothing_when_the_mark_is_there(app: Celery, relay: Relay, queues: Queues) -> None:
    add.delay(1, 2)
    relay.run_pass()
    another = Relay(app, on_pass=lambda: None)

    another.look_for_wipe()

    assert not OutboxMessage.objects.exists()
    assert len(_ids_in(queues["cpu"])) == 1
    another.close()


def test_it_leaves_jobs_that_the_broker_does_not_have_to_do(app: Celery, relay: Relay, queues: Queues) -> None:
    for state in (State.RUNNING, *FINAL):
        result = add.delay(1, 2)
        relay.run_pass()
        Job.objects.filter(pk=result.id).update(state=state)
    retrying = add.apply_async((1, 2), countdown=60)
    Job.objects.filter(pk=retrying.id).update(state=State.RETRYING)
    _wipe(app, queues)

    relay.look_for_wipe()

    assert [message.job_id for message in OutboxMessage.objects.all()] == [retrying.id]
    assert Job.objects.get(pk=retrying.id).state == State.RETRYING


def test_it_begins_anew_when_it_died_before_the_mark(
    app: Celery, relay: Relay, queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = add.delay(1, 2)
    relay.run_pass()
    _wipe(app, queues)

    def die(_name: str) -> None:
        raise BrokerError

    with monkeypatch.context() as patched:
        patched.setattr(relay._publisher, "leave_mark", die)
        with pytest.raises(BrokerError):
            relay.look_for_wipe()
    relay.run_pass()

    relay.look_for_wipe()
    relay.run_pass()

    assert _ids_in(queues["cpu"]) == [result.id, result.id]  # the claim drops the second
    assert relay._publisher.has_mark(BrokerMark.objects.get().name)


def test_it_leaves_it_to_another_relay_when_that_one_is_at_it(app: Celery, relay: Relay, queues: Queues) -> None:
    add.delay(1, 2)
    relay.run_pass()
    _wipe(app, queues)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [wipe._ONE_AT_A_TIME])

            relay.look_for_wipe()

            assert not OutboxMessage.objects.exists()
            cursor.execute("SELECT pg_advisory_unlock(%s)", [wipe._ONE_AT_A_TIME])
    finally:
        other.close()
    relay.look_for_wipe()
    assert OutboxMessage.objects.exists()


def test_it_looks_before_anything_else_when_it_has_connected_again(app: Celery, relay: Relay, queues: Queues) -> None:
    result = add.delay(1, 2)
    relay.run_pass()
    _wipe(app, queues)
    running = Relay(app, on_pass=lambda: running.stop() if _is_queued_again(result.id) else None)

    running.run()

    assert _ids_in(queues["cpu"]) == [result.id]


def _is_queued_again(job_id: str) -> bool:
    return not OutboxMessage.objects.exists() and Job.objects.get(pk=job_id).state == State.QUEUED
