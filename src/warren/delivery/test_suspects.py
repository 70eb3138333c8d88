"""How many of the jobs that were lost with others may go out at a time."""

from datetime import timedelta
from uuid import uuid4

import pytest
from celery import shared_task
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from warren.delivery import suspects
from warren.delivery.conftest import locked_elsewhere
from warren.delivery.models import Job, OutboxMessage, Worker
from warren.delivery.states import State
from warren.delivery.suspects import FORGOTTEN_AFTER_S, GROUP, SILENT_S, WATCH_S

pytestmark = pytest.mark.django_db


@shared_task(name="suspects.io", queue="io")
def on_io() -> None:
    """Nothing."""


@shared_task(name="suspects.cpu", queue="cpu")
def on_cpu() -> None:
    """Nothing."""


def _accepted(count: int, *, losses: int, task: object = on_io) -> set[str]:
    ids = {task.delay().id for _ in range(count)}  # type: ignore[attr-defined]  # a task
    Job.objects.filter(pk__in=ids).update(losses=losses)
    return ids


def _let_out() -> set[str]:
    """As the relay does: what is let out leaves the outbox."""
    with transaction.atomic():
        due = list(OutboxMessage.objects.select_related("job").select_for_update(of=("self",)).order_by("id"))
        gone = {message.job_id for message in suspects.let_out(due)}
    OutboxMessage.objects.filter(job_id__in=gone).delete()
    return gone


def _become(job_ids: set[str], state: State, *, for_s: float = 0, silent_s: float = 0) -> None:
    """In a worker that was last heard of so long ago."""
    now, since = timezone.now(), Now() - timedelta(seconds=for_s)
    seen = now - timedelta(seconds=silent_s)
    holder = Worker.objects.create(
        id=uuid4(), name="w", pool="gevent", concurrency=9, queues="io", started_at=now, seen_at=seen
    )
    Job.objects.filter(pk__in=job_ids).update(state=state, queued_at=since, started_at=since, lease=holder.pk)


def test_it_lets_everybody_out_when_nobody_is_suspect() -> None:
    ids = _accepted(3 * GROUP, losses=0)

    assert _let_out() == ids


def test_it_lets_a_group_out_when_many_have_one_loss() -> None:
    innocent, suspect = _accepted(GROUP, losses=0), _accepted(3 * GROUP, losses=1)
    elsewhere = _accepted(1, losses=1, task=on_cpu)

    gone = _let_out()

    assert gone >= innocent | elsewhere
    assert len(gone & suspect) == GROUP
    held = Job.objects.filter(pk__in=suspect - gone)
    assert OutboxMessage.objects.filter(job__in=held, available_at__gt=Now()).count() == 2 * GROUP


@pytest.mark.parametrize(
    ("state", "for_s", "silent_s", "then"),
    [
        (State.QUEUED, 0, 0, 0),
        (State.RUNNING, 0, 0, 0),
        (State.RUNNING, WATCH_S + 1, SILENT_S + 1, 0),
        (State.SUCCEEDED, 0, 0, GROUP),
        (State.RUNNING, WATCH_S + 1, 0, GROUP),
        (State.QUEUED, FORGOTTEN_AFTER_S + 1, 0, GROUP),
    ],
)
def test_it_lets_the_next_group_out_when_the_first_has_proven_itself(
    state: State, for_s: float, silent_s: float, then: int
) -> None:
    _accepted(3 * GROUP, losses=1)
    _become(_let_out(), state, for_s=for_s, silent_s=silent_s)

    assert len(_let_out()) == then


def test_it_lets_out_one_alone_when_it_has_two_losses() -> None:
    twice = _accepted(2, losses=2)

    first = _let_out()
    _become(first, State.RUNNING)
    meanwhile = _accepted(1, losses=1)
    nobody = _let_out()
    _become(first, State.SUCCEEDED)

    assert (len(first), nobody) == (1, set())
    assert _let_out() == twice - first
    assert meanwhile == {each.job_id for each in OutboxMessage.objects.all()}


@pytest.mark.django_db(transaction=True)
def test_it_waits_for_nobody_who_has_locked_a_job_that_it_puts_off() -> None:
    twice = _accepted(2, losses=2)

    with locked_elsewhere(Job.objects.filter(pk__in=twice)), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '1s'")
        gone = _let_out()

    (put_off,) = twice - gone
    assert OutboxMessage.objects.filter(job=put_off, available_at__gt=Now()).exists()
