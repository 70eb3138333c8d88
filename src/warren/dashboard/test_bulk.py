"""Retrying and cancelling many jobs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from warren.dashboard import job_pages
from warren.dashboard.conftest import text
from warren.delivery.models import Job, JobEvent
from warren.delivery.states import State
from warren.jobs import bulk
from warren.jobs.conftest import MakeJob

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
MESSAGE = '{"exchange": "", "routing_key": "cpu", "headers": {"retries": 0}, "properties": {}, "embed": {}}'


def _failed(make_job: MakeJob, job_id: str, **fields: Any) -> Job:
    return make_job(State.FAILED, id=job_id, message=MESSAGE, **fields)


def test_it_names_what_it_will_do_and_does_nothing_yet(member: Client, make_job: MakeJob) -> None:
    _failed(make_job, "a", task="t.one")
    _failed(make_job, "b", task="t.one")
    make_job(State.DEAD, id="c", task="t.two", message=MESSAGE)
    make_job(id="open")

    page = text(member, "/bulk/retry/")

    assert "Retry 3 jobs?" in page
    assert "2 \u00d7 <strong>t.one</strong>" in page
    assert "1 \u00d7 <strong>t.two</strong>" in page
    assert not JobEvent.objects.exists()


def test_it_does_exactly_what_was_confirmed(member: Client, make_job: MakeJob, user: Any) -> None:
    for job_id in ("a", "b", "later"):
        _failed(make_job, job_id)

    answer = member.post("/bulk/retry/", {"confirmed": "1", "ids": "a\nb", "reason": "mended", "query": "state=failed"})

    assert answer.headers["Location"] == "/jobs/?state=failed"
    assert {event.job_id: (event.kind, event.actor, event.reason) for event in JobEvent.objects.all()} == {
        "a": ("retried", user, "mended"),
        "b": ("retried", user, "mended"),
    }
    assert "2 jobs put back" in text(member, "/jobs/")


def test_it_cancels_what_was_chosen_one_by_one(member: Client, make_job: MakeJob) -> None:
    for job_id in ("a", "b", "c"):
        make_job(id=job_id)

    page = member.post("/bulk/cancel/", {"ids": ["a", "c"], "query": ""}).content.decode()
    member.post("/bulk/cancel/", {"confirmed": "1", "ids": "a\nc"})

    assert "Cancel 2 jobs?" in page
    assert dict(Job.objects.values_list("pk", "state")) == {"a": "cancelled", "b": "accepted", "c": "cancelled"}


def test_it_goes_by_the_filter(member: Client, make_job: MakeJob) -> None:
    _failed(make_job, "a", task="t.one", arguments='[["carrot"], {}]')
    _failed(make_job, "b", task="t.two")
    make_job(State.DEAD, id="c", task="t.one", message=MESSAGE)

    pages = {
        query: text(member, f"/bulk/retry/?{query}")
        for query in ("state=dead", "task=t.one", "search=carrot", "state=succeeded", "state=nonsense")
    }

    assert "Retry 1 job?" in pages["state=dead"]
    assert "Retry 2 jobs?" in pages["task=t.one"]
    assert "Retry 1 job?" in pages["search=carrot"]
    assert "Nothing to retry" in pages["state=succeeded"]
    assert "Nothing to retry" in pages["state=nonsense"]


def test_it_takes_the_oldest_and_says_that_there_are_more(
    member: Client, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST", 2)
    for number in range(4):
        _failed(make_job, f"{number}", created_at=NOON + timedelta(hours=number))

    page = text(member, "/bulk/retry/")

    assert "Retry 2 jobs?" in page
    assert 'name="ids" value="0\n1"' in page
    assert "4 match" in page


def test_it_reads_so_many_at_most(member: Client, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_pages, "LOOKED_AT", 2)
    for number in range(4):
        _failed(make_job, f"{number}", created_at=NOON + timedelta(hours=number), task="t.new" if number else "t.old")

    page = text(member, "/bulk/retry/?search=t.new")

    assert 'name="ids" value="1"' in page
    assert "Only the oldest were looked at" in page


def test_it_leaves_what_one_may_not_see(member: Client, make_job: MakeJob, stranger: Any) -> None:
    _failed(make_job, "his", owner=stranger)
    _failed(make_job, "hers")

    named = member.post("/bulk/retry/", {"ids": ["his", "hers"]}).content.decode()
    done = member.post("/bulk/retry/", {"confirmed": "1", "ids": "his\nhers"}, follow=True).content.decode()

    assert "Retry 1 job?" in named
    assert "1 that you chose are not yours" in named
    assert bulk.UNSEEN in done
    assert Job.objects.get(pk="his").state == State.FAILED


def test_it_tells_of_jobs_that_have_changed_meanwhile(member: Client, make_job: MakeJob) -> None:
    make_job(State.SUCCEEDED, id="done")

    page = member.post("/bulk/retry/", {"confirmed": "1", "ids": "done"}, follow=True).content.decode()

    assert "1 job left as before: It has succeeded" in page


@pytest.mark.parametrize("back", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)"])
def test_it_goes_back_to_this_site_only(member: Client, back: str) -> None:
    answer = member.post("/bulk/retry/", {"confirmed": "1", "ids": "", "back": back})

    assert answer.headers["Location"] == "/jobs/"


@pytest.mark.parametrize("ids", [["x" * 300], ["nul\x00"], [str(number) for number in range(bulk.MOST + 1)]])
def test_it_refuses_what_are_no_ids(member: Client, ids: list[str]) -> None:
    assert member.post("/bulk/retry/", {"confirmed": "1", "ids": "\n".join(ids)}).status_code == 400


def test_it_says_when_nothing_was_chosen(member: Client) -> None:
    assert "Nothing to cancel" in member.post("/bulk/cancel/", {"query": ""}).content.decode()
    assert member.post("/bulk/explode/").status_code == 404


def test_it_asks_as_often_for_many_as_for_one(staff_member: Client, make_job: MakeJob) -> None:
    counts = []
    for _ in range(2):
        make_job(State.FAILED, message=MESSAGE)
        with CaptureQueriesContext(connection) as queries:
            text(staff_member, "/bulk/retry/?search=some")
        counts.append(len(queries))
        for _ in range(30):
            make_job(State.FAILED, message=MESSAGE)

    assert counts[0] == counts[1] <= 7
