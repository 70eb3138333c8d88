"""The page of one job."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from warren.dashboard import panels, progress, timeline
from warren.dashboard.conftest import LIVE, text
from warren.delivery import history
from warren.delivery.history import Actor
from warren.delivery.models import Job
from warren.delivery.states import State
from warren.jobs import events
from warren.jobs.conftest import MakeJob

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
FAILURE = json.dumps({"exc_type": "ValueError", "exc_message": ["out of carrots"], "exc_module": "builtins"})


def test_it_tells_why_a_job_failed(member: Client, make_job: MakeJob) -> None:
    job = make_job(State.FAILED, result=FAILURE, traceback="Traceback: line 1 <b>", arguments='[["carrot"], {"n": 5}]')

    page = text(member, f"/jobs/{job.pk}/")

    assert "<strong>ValueError</strong>: out of carrots" in page
    assert "Traceback: line 1 &lt;b&gt;" in page
    assert "carrot" in page
    assert "&quot;n&quot;: 5" in page


def test_it_shows_a_result_but_not_all_of_a_huge_one(member: Client, make_job: MakeJob) -> None:
    small, huge = make_job(State.SUCCEEDED, result='{"sum": 3}'), make_job(State.SUCCEEDED, result=f'"{"x" * 30_000}"')

    assert "&quot;sum&quot;: 3" in text(member, f"/jobs/{small.pk}/")
    page = text(member, f"/jobs/{huge.pk}/")
    assert "cut here" in page
    assert len(page) < 30_000


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        (State.RUNNING, {"cancel"}),
        (State.ACCEPTED, {"cancel"}),
        (State.FAILED, {"retry"}),
        (State.CANCELLED, {"retry"}),
        (State.SUCCEEDED, set()),
    ],
)
def test_it_offers_what_can_be_done(member: Client, make_job: MakeJob, state: State, offered: set[str]) -> None:
    job = make_job(state, message='{"embed": {}}')

    page = text(member, f"/jobs/{job.pk}/")

    assert set(re.findall(rf'action="/jobs/{job.pk}/(\w+)/"', page)) == offered


def test_a_job_that_was_never_sent_says_what_to_do(member: Client, make_job: MakeJob) -> None:
    job = make_job(State.FAILED, message="", task="", queue="")

    assert "It was never sent" in text(member, f"/jobs/{job.pk}/")


def test_its_live_part_is_asked_for_alone(member: Client, make_job: MakeJob) -> None:
    job = make_job(State.RUNNING, progress='{"state": "PROGRESS", "meta": {"done": 2, "of": 5}}')

    part = text(member, f"/jobs/{job.pk}/", headers=LIVE)

    assert part.strip().startswith('<div id="job"')
    assert '<progress max="100" value="40"' in part
    assert "2 of 5" in part


@pytest.mark.parametrize(
    ("meta", "percent", "words"),
    [
        ({"done": 1, "of": 4}, 25, "1 of 4"),
        ({"current": 7, "total": 5}, 100, "7 of 5"),
        ({"percent": 12.5}, 12, "12.5 %"),
        ({"step": "reading"}, None, "step: reading"),
        ({"done": 1, "of": 0}, None, "done: 1, of: 0"),
        ("half way", None, "PROGRESS half way"),
        (None, None, "PROGRESS"),
    ],
)
def test_progress_is_what_the_task_tells(make_job: MakeJob, meta: object, percent: int | None, words: str) -> None:
    job = make_job(State.RUNNING, progress=json.dumps({"state": "PROGRESS", "meta": meta}))

    assert progress.of(job) == progress.Progress(percent=percent, words=words)


def test_no_progress_is_none(make_job: MakeJob) -> None:
    assert progress.of(make_job()) is None


def test_the_timeline_tells_of_each_attempt(make_job: MakeJob) -> None:
    job = make_job(State.RUNNING, attempt=1, worker="w1", created_at=NOON, started_at=NOON, result=FAILURE)
    history.record([job.pk], kind=history.ATTEMPT_FAILED)
    Job.objects.filter(pk=job.pk).update(state=State.FAILED, finished_at=NOON + timedelta(seconds=9), attempt=2)
    history.record([job.pk], kind=history.RETRIED, by=Actor(label="command line"), reason="mended")
    Job.objects.filter(pk=job.pk).update(state=State.SUCCEEDED, started_at=NOON + timedelta(days=400))
    Job.objects.filter(pk=job.pk).update(finished_at=NOON + timedelta(days=400, seconds=2))
    job.refresh_from_db()

    told = timeline.of(job, history=events.history_of(job, context={"request": None}), now=NOON)

    assert [(each.title, each.attempt) for each in told] == [
        ("Accepted", 0),
        ("Attempt failed, another follows", 1),
        ("Retried by hand", 2),
        ("Started", 2),
        ("Succeeded", 2),
    ]
    retried = told[2]
    assert (retried.by, retried.reason, retried.former, retried.took) == (
        "command line", "mended", "failed", timedelta(seconds=9),
    )  # fmt: skip
    assert retried.error is not None
    assert told[-1].took == timedelta(seconds=2)


@pytest.mark.parametrize("state", [State.CANCELLED, State.DEAD])
def test_an_end_that_the_history_tells_is_told_once(make_job: MakeJob, state: State) -> None:
    job = make_job(state)
    history.record([job.pk], kind=history.CANCELLED if state == State.CANCELLED else history.DEAD)

    told = timeline.of(job, history=events.history_of(job, context={"request": None}), now=NOON)

    assert len(told) == 2


def test_it_draws_a_family(member: Client, make_job: MakeJob) -> None:
    make_job(State.SUCCEEDED, id="one", root_id="one")
    make_job(id="two", root_id="one", parent_id="one")

    page = text(member, "/jobs/two/")

    assert "<svg" in page
    assert 'href="/jobs/one/"' in page


def test_other_apps_add_to_it(member: Client, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panels, "_sources", {})
    panels.add("dashboard/navigation.html", context=lambda job: {"items": []} if job.queue == "io" else None)

    with_panel, without = make_job(queue="io"), make_job()

    assert text(member, f"/jobs/{with_panel.pk}/").count('aria-label="Pages"') == 2
    assert text(member, f"/jobs/{without.pk}/").count('aria-label="Pages"') == 1


def test_a_person_of_the_staff_is_not_named_to_others(member: Client, make_job: MakeJob, staff: Any) -> None:
    job = make_job(State.FAILED)
    history.record([job.pk], kind=history.RETRIED, by=Actor(user_id=staff.pk))

    page = text(member, f"/jobs/{job.pk}/")

    assert "by staff" in page
    assert "root@example.com" not in page


def test_it_asks_as_often_for_a_long_history_as_for_a_short_one(member: Client, make_job: MakeJob) -> None:
    job = make_job(State.FAILED, root_id="root", parent_id="root", group_id="group")
    make_job(id="root", root_id="root")
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            text(member, f"/jobs/{job.pk}/")
        counts.append(len(queries))
        for _ in range(20):
            make_job(root_id="root", parent_id=job.pk, group_id="group")
            history.record([job.pk], kind=history.RETRIED, by=Actor(label="somebody"))

    assert counts[0] == counts[1] <= 9
