"""Deleting many rows a few at a time."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from warren.delivery import direct, in_batches, retention
from warren.delivery.models import Chord, IdempotencyKey, Job, JobEvent, ResultGroup
from warren.delivery.states import State

pytestmark = pytest.mark.django_db

LONG_AGO = timezone.now() - timedelta(days=40)


def _job(state: State = State.SUCCEEDED, **fields: object) -> Job:
    finished = {"finished_at": LONG_AGO} if state == State.SUCCEEDED else {}
    return Job.objects.create(pk=str(uuid4()), task="t", queue="cpu", state=state, **{**finished, **fields})


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(in_batches, "BATCH", 2)
    return 2


@pytest.mark.usefixtures("small_batches")
def test_it_deletes_all_in_batches_oldest_first() -> None:
    for _ in range(5):
        _job()

    with CaptureQueriesContext(connection) as captured:
        deleted = in_batches.delete(Job.objects.order_by("finished_at"))

    assert deleted == 5
    assert not Job.objects.exists()
    selects = [each["sql"] for each in captured if "FOR UPDATE" in each["sql"]]
    assert len(selects) == 3
    assert all("SKIP LOCKED" in each and "LIMIT 2" in each for each in selects)


@pytest.mark.usefixtures("small_batches")
def test_it_stops_when_the_time_is_over() -> None:
    for _ in range(5):
        _job()

    assert in_batches.delete(Job.objects.order_by("finished_at"), within_s=0) == 2
    assert Job.objects.count() == 3


def test_it_does_not_read_what_it_deletes() -> None:
    _job(result='"' + "x" * 1000 + '"')

    with CaptureQueriesContext(connection) as captured:
        in_batches.delete(Job.objects.order_by("finished_at"))

    assert not [each["sql"] for each in captured if '"result"' in each["sql"]]


@pytest.mark.django_db(transaction=True)
def test_it_leaves_rows_that_somebody_has_locked() -> None:
    held, _ = _job(), _job()

    with direct.connect("holder") as holder, holder.transaction():
        holder.execute("SELECT FROM warren_job WHERE id = %s FOR UPDATE", [held.pk])
        deleted = in_batches.delete(Job.objects.order_by("finished_at"))

    assert deleted == 1
    assert list(Job.objects.values_list("pk", flat=True)) == [held.pk]


def test_a_job_takes_its_history_and_its_idempotency_key_along() -> None:
    job = _job()
    JobEvent.objects.create(job=job, kind="dead", attempt=1, state=State.DEAD)
    IdempotencyKey.objects.create(key="k", digest="d", job=job, job_ids=json.dumps([job.pk]))

    assert retention.delete_older(timezone.now() - timedelta(days=30))["jobs"] == 1

    assert not JobEvent.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert not IdempotencyKey.objects.exists()


def test_what_is_open_or_young_stays() -> None:
    stays = {_job(State.RUNNING).pk, _job(finished_at=timezone.now()).pk}
    _job()

    retention.delete_older(timezone.now() - timedelta(days=30))

    assert set(Job.objects.values_list("pk", flat=True)) == stays


def test_a_group_and_its_count_stay_while_a_part_is_open() -> None:
    for name in ("open", "over"):
        Chord.objects.create(pk=name, created_at=LONG_AGO)
        ResultGroup.objects.create(pk=name, result="[]", created_at=LONG_AGO)
    _job(State.ACCEPTED, group_id="open")
    _job(finished_at=timezone.now(), group_id="over")

    deleted = retention.delete_older(timezone.now() - timedelta(days=30))

    assert deleted == {"jobs": 0, "groups": 1, "chords": 1}
    assert [each.pk for each in Chord.objects.all()] == [each.pk for each in ResultGroup.objects.all()] == ["open"]
