"""What one relay tells of the database as a whole."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from celery import shared_task
from django.db import connection
from django.utils import timezone
from prometheus_client import Metric

from warren.delivery import direct, figures
from warren.delivery.figures import Figures
from warren.delivery.models import Job, OutboxMessage, Worker
from warren.delivery.states import FINAL, OPEN, State

# it has a connection of its own, which sees only what is committed
pytestmark = pytest.mark.django_db(transaction=True)


@shared_task(name="figures.add", queue="cpu")
def add(left: int, right: int) -> int:
    return left + right


@pytest.fixture
def looking(monkeypatch: pytest.MonkeyPatch) -> Iterator[Figures]:
    """Looks anew each time it is asked."""
    monkeypatch.setattr(figures, "LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(figures, "MOST_OF_THE_TIME", 1e9)
    made = Figures()
    yield made
    made.close()


def _told(metrics: list[Metric]) -> dict[tuple[str, ...], float]:
    return {(sample.name, *sample.labels.values()): sample.value for each in metrics for sample in each.samples}


def _make(count: int, **fields: Any) -> None:
    now = timezone.now()
    for _ in range(count):
        finished_at = now if fields.get("state") in FINAL else None
        Job.objects.create(
            **{"pk": str(uuid4()), "task": add.name, "queue": "cpu", "finished_at": finished_at, **fields}
        )


def test_it_tells_zeros_of_every_declared_queue_when_nothing_is_there(looking: Figures) -> None:
    told = _told(looking.collect())

    assert set(told.values()) == {0.0}
    for queue in ("cpu", "io"):
        assert ("warren_queue_oldest_wait_seconds", queue) in told
        assert ("warren_queue_workers", queue) in told
        assert ("warren_queue_dead_jobs", queue) in told
        assert ("warren_queue_jobs", queue, "queued") in told


def test_it_counts_open_jobs_by_queue_and_state(looking: Figures) -> None:
    _make(3, state=State.QUEUED)
    _make(2, state=State.RUNNING, queue="io")
    _make(4, state=State.SUCCEEDED)

    told = _told(looking.collect())

    assert told["warren_queue_jobs", "cpu", "queued"] == 3
    assert told["warren_queue_jobs", "io", "running"] == 2
    assert not any("succeeded" in labels for labels in told)


def test_it_tells_for_how_long_the_oldest_has_been_due(looking: Figures) -> None:
    now = timezone.now()
    _make(1, state=State.QUEUED, available_at=now - timedelta(seconds=40))
    _make(1, state=State.QUEUED, available_at=now - timedelta(seconds=20))
    _make(1, state=State.ACCEPTED, available_at=now + timedelta(hours=1))
    _make(1, state=State.RUNNING, available_at=now - timedelta(hours=1))
    _make(1, state=State.ACCEPTED, queue="io", available_at=now + timedelta(hours=1))

    told = _told(looking.collect())

    assert 40 <= told["warren_queue_oldest_wait_seconds", "cpu"] < 100
    assert told["warren_queue_oldest_wait_seconds", "io"] == 0


def test_it_counts_dead_jobs_until_they_are_retried(looking: Figures) -> None:
    _make(2, state=State.DEAD)

    assert _told(looking.collect())["warren_queue_dead_jobs", "cpu"] == 2
    Job.objects.update(state=State.ACCEPTED, finished_at=None)
    assert _told(looking.collect())["warren_queue_dead_jobs", "cpu"] == 0


def test_it_tells_the_depth_and_the_age_of_the_outbox(looking: Figures) -> None:
    for number in range(3):
        add.delay(number, 1)
    add.apply_async((1, 2), countdown=60)
    OutboxMessage.objects.filter(available_at__lte=timezone.now()).update(
        available_at=timezone.now() - timedelta(seconds=50)
    )

    told = _told(looking.collect())

    assert (told["warren_outbox_messages", "due"], told["warren_outbox_messages", "later"]) == (3, 1)
    assert 50 <= told["warren_outbox_oldest_seconds",] < 100


def test_it_counts_workers_by_what_they_serve_while_their_lease_is_valid(looking: Figures) -> None:
    long_ago = timezone.now() - timedelta(minutes=5)
    for queues, seen_at in (("cpu,io", timezone.now()), ("cpu", timezone.now()), ("io", long_ago), ("mine", long_ago)):
        Worker.objects.create(pk=uuid4(), name="w", pool="solo", concurrency=1, queues=queues, seen_at=seen_at)

    told = _told(looking.collect())

    assert (told["warren_queue_workers", "cpu"], told["warren_queue_workers", "io"]) == (2, 1)
    assert (told["warren_workers", "alive"], told["warren_workers", "lost"]) == (2, 2)


def test_it_keeps_the_series_few_when_jobs_name_many_queues(looking: Figures) -> None:
    before = len(_told(looking.collect()))
    for number in range(20):
        _make(1, queue=f"queue-{number}", state=State.QUEUED)

    told = _told(looking.collect())

    assert told["warren_queue_jobs", "other", "queued"] == 20
    assert len(told) == before + len(OPEN) + len(("oldest", "dead"))


def test_one_of_two_relays_tells_and_the_other_when_that_is_gone(
    looking: Figures, wait_until: Callable[..., None]
) -> None:
    with closing(Figures()) as another:
        assert looking.collect()

        assert another.collect() == []
        looking.close()
        wait_until(lambda: bool(another.collect()))


def test_it_looks_once_in_a_while_however_often_it_is_asked() -> None:
    with closing(Figures(clock=lambda: 0.0)) as figure:
        first = _told(figure.collect())
        _make(1, state=State.QUEUED)

        assert _told(figure.collect()) == first


def test_it_looks_more_rarely_when_a_look_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0.0, 2.0, 41.0, 43.0, 43.0])
    looks: list[int] = []

    def look(_figures: Figures) -> list[Metric]:
        looks.append(1)
        return []

    monkeypatch.setattr(Figures, "_look", look)
    figure = Figures(clock=lambda: next(moments))

    figure.collect()  # takes two seconds, so forty must pass
    figure.collect()
    assert len(looks) == 1
    figure.collect()

    assert len(looks) == 2


def test_it_tells_nothing_and_recovers_when_its_session_is_ended(looking: Figures) -> None:
    assert looking.collect()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'warren-metrics'"
        )

    assert looking.collect() == []
    assert looking.collect()


def test_it_tells_nothing_when_postgres_is_away(looking: Figures, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_purpose: str) -> None:
        raise psycopg.OperationalError("connection refused")

    monkeypatch.setattr(direct, "connect", away)

    assert looking.collect() == []
