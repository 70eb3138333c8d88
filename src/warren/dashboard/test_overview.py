"""The overview."""

import html
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from warren.dashboard import broker_watch, processes
from warren.dashboard.conftest import LIVE, text
from warren.delivery.models import OutboxMessage, Worker
from warren.delivery.states import State
from warren.jobs.conftest import MakeJob
from warren.scheduling.models import ScheduleLeader

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the broker says has tests of its own."""
    monkeypatch.setattr("warren.dashboard.overview_views.watch", broker_watch.BrokerWatch(lambda: None))


def _worker(name: str, *, seen_ago_s: float = 0, **fields: Any) -> Worker:
    values = {"pool": "prefork", "concurrency": 8, "queues": "cpu", **fields}
    seen_at = timezone.now() - timedelta(seconds=seen_ago_s)
    return Worker.objects.create(id=uuid4(), name=name, seen_at=seen_at, **values)


def _leader(*, seen_ago_s: float) -> None:
    seen_at = timezone.now() - timedelta(seconds=seen_ago_s)
    ScheduleLeader.objects.create(name="beat-one", backend_pid=1, since=seen_at, seen_at=seen_at)


def test_it_shows_the_staff_how_everything_stands(staff_member: Client, make_job: MakeJob) -> None:
    lease = _worker("worker-cpu@one").pk
    make_job(State.RUNNING, lease=lease)
    _leader(seen_ago_s=1)

    page = text(staff_member, "/overview/")

    assert "Queue cpu" in page
    assert "Queue io" in page
    assert "worker-cpu@one" in page
    assert "1 of 8" in page
    assert "beat-one" in page
    assert "leads" in page
    assert "in time" in page


def test_it_shows_living_workers_only(staff_member: Client) -> None:
    _worker("gone@one", seen_ago_s=120)

    page = text(staff_member, "/overview/")

    assert "gone@one" not in page
    assert "No worker is alive" in page


@pytest.mark.parametrize(("seen_ago_s", "leads"), [(1, True), (60, False)])
def test_a_leader_that_was_not_seen_leads_no_more(seen_ago_s: float, *, leads: bool) -> None:
    _leader(seen_ago_s=seen_ago_s)

    beat = processes.beat(now=timezone.now())

    assert beat is not None
    assert beat.leads is leads


def test_the_relay_is_late_when_what_is_due_waits(make_job: MakeJob) -> None:
    now = timezone.now()
    for seconds in (-30, -3, 600):
        OutboxMessage.objects.create(job=make_job(), available_at=now + timedelta(seconds=seconds))

    lag = processes.relay_lag()

    assert (lag.due, lag.lag.seconds // 10, lag.is_late) == (2, 3, True)


def test_it_shows_others_their_own_jobs_alone(member: Client, make_job: MakeJob, stranger: Any) -> None:
    make_job(State.FAILED)
    make_job(State.DEAD, owner=stranger)
    _worker("worker-cpu@one")

    page = text(member, "/overview/")

    assert "state=failed" in page
    assert "state=dead" not in page
    assert "worker-cpu@one" not in page


def test_it_helps_who_has_no_jobs(member: Client) -> None:
    page = text(member, "/overview/")

    assert "You have no jobs yet" in page
    assert '<a href="/try/">Try one</a>' in page
    assert '<a href="/try/">Try one</a>' in text(member, "/jobs/")


def test_a_figure_that_leads_to_jobs_is_the_number_of_those(staff_member: Client, make_job: MakeJob) -> None:
    later = timezone.now() + timedelta(hours=1)
    for number, state in enumerate((State.QUEUED, State.ACCEPTED, State.RETRYING, State.RUNNING, State.FAILED), 1):
        for _ in range(number):
            make_job(state, queue="cpu", available_at=later if state == State.ACCEPTED else timezone.now())

    page = text(staff_member, "/overview/")

    shown = re.findall(r'href="(/jobs/\?queue=cpu[^"]+)">(\d+)', page)
    assert sorted(int(number) for _, number in shown) == [1, 2, 3, 4, 5]
    for link, number in shown:
        assert f"{number} job" in text(staff_member, html.unescape(link)), link
    assert "<dt>Waiting</dt><dd>4</dd>" in page
    assert "2 due later" in page


def test_its_live_part_is_asked_for_alone(staff_member: Client) -> None:
    part = text(staff_member, "/overview/", headers=LIVE)

    assert part.strip().startswith('<div id="overview"')


def test_it_asks_as_often_for_many_as_for_one(staff_member: Client, make_job: MakeJob) -> None:
    counts = []
    for number in range(2):
        lease = _worker(f"worker-{number}").pk
        with CaptureQueriesContext(connection) as queries:
            text(staff_member, "/overview/")
        counts.append(len(queries))
        for state in (State.RUNNING, State.FAILED, State.QUEUED, State.SUCCEEDED) * 10:
            make_job(state, lease=lease)

    assert counts[0] == counts[1] <= 14
