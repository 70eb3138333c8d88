"""The list of jobs."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from warren.dashboard import job_pages, wording
from warren.dashboard.conftest import LIVE, text
from warren.delivery.states import State
from warren.jobs.conftest import MakeJob

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def _ids(page: str) -> list[str]:
    return re.findall(r'<tr id="job-([^"]+)"', page)


def _next(page: str) -> str:
    found = re.search(r'rel="next" href="([^"]+)"', page)
    return f"/jobs/{found[1].replace('&amp;', '&')}" if found else ""


def test_it_shows_ones_own_jobs_newest_first(member: Client, make_job: MakeJob, stranger: Any) -> None:
    for hours in (1, 3, 2):
        make_job(id=f"{hours}", created_at=NOON + timedelta(hours=hours))
    make_job(id="his", owner=stranger)

    assert _ids(text(member, "/jobs/")) == ["3", "2", "1"]


def test_the_staff_see_all(staff_member: Client, make_job: MakeJob, stranger: Any) -> None:
    make_job(id="hers")
    make_job(id="his", owner=stranger)

    assert set(_ids(text(staff_member, "/jobs/"))) == {"hers", "his"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state=failed", {"a"}),
        ("state=&queue=io&task=&search=", {"b"}),
        ("task=t.one", {"a", "b"}),
        ("search=RABBIT", {"b"}),
        ("created_after=2026-05-04T12:30", {"b"}),
        ("created_before=2026-05-04T12:30&state=failed", {"a"}),
    ],
)
def test_it_filters(member: Client, make_job: MakeJob, query: str, expected: set[str]) -> None:
    make_job(State.FAILED, id="a", task="t.one", created_at=NOON)
    make_job(id="b", task="t.one", queue="io", created_at=NOON + timedelta(hours=1), arguments='[["rabbit"], {}]')

    assert set(_ids(text(member, f"/jobs/?{query}"))) == expected


@pytest.mark.parametrize("query", ["state=nonsense", "created_after=yesterday", "search=%00"])
def test_it_says_what_makes_no_sense(member: Client, make_job: MakeJob, query: str) -> None:
    make_job()

    page = text(member, f"/jobs/?{query}")

    assert 'role="alert"' in page
    assert _ids(page) == []


def test_its_rows_alone_are_what_the_open_page_asks_for(member: Client, make_job: MakeJob) -> None:
    make_job(id="one")

    rows = text(member, "/jobs/?state=accepted", headers=LIVE)

    assert rows.strip().startswith('<div id="rows"')
    assert 'hx-get="/jobs/?state=accepted"' in rows
    assert (_ids(rows), "<html" in rows) == (["one"], False)


def test_pages_hold_each_job_once_also_of_the_same_moment(
    member: Client, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_pages, "SIZE", 3)
    for number in range(8):
        make_job(id=f"{number}", created_at=NOON + timedelta(hours=number // 4))

    seen, path = [], "/jobs/"
    while path:
        page = text(member, path)
        seen += _ids(page)
        path = _next(page)

    assert seen == list("76543210")


@pytest.mark.parametrize("query", ["search=needle", "task=t.needle", "queue=io", "state=succeeded"])
def test_a_search_goes_so_far_at_a_time_and_further_when_asked(
    member: Client, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr(job_pages, "LOOKED_AT", 4)
    make_job(State.SUCCEEDED, id="old", task="t.needle", queue="io", created_at=NOON)
    for number in range(6):
        make_job(id=f"{number}", task="t.hay", created_at=NOON + timedelta(hours=1 + number))

    first = text(member, f"/jobs/?{query}")
    second = text(member, _next(first))

    assert (_ids(first), _ids(second)) == ([], ["old"])
    assert "Look further back" in first
    assert _next(second) == ""


@pytest.mark.parametrize("query", ["", "?state=failed", "?state=dead&queue=cpu"])
def test_what_an_index_knows_is_found_wherever_it_is(
    member: Client, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr(job_pages, "LOOKED_AT", 2)
    make_job(State.DEAD if "dead" in query else State.FAILED, id="old", created_at=NOON)
    for number in range(6):
        make_job(id=f"{number}", created_at=NOON + timedelta(hours=1 + number))

    assert "old" in _ids(text(member, f"/jobs/{query}"))


@pytest.mark.parametrize("query", ["state=failed&search=needle", "state=failed&task=t.needle", "state=queued&queue=io"])
def test_it_looks_among_what_an_index_knows(
    member: Client, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr(job_pages, "LOOKED_AT", 2)
    state = State.FAILED if "failed" in query else State.QUEUED
    make_job(state, id="old", task="t.needle", queue="io", created_at=NOON)
    for number in range(6):
        make_job(State.RUNNING, id=f"{number}", created_at=NOON + timedelta(hours=1 + number))

    page = text(member, f"/jobs/?{query}")

    assert (_ids(page), _next(page)) == (["old"], "")


def test_of_what_an_index_knows_it_looks_at_so_many_at_a_time(
    member: Client, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_pages, "LOOKED_AT", 4)
    make_job(State.QUEUED, id="old", task="t.needle", created_at=NOON)
    for number in range(6):
        make_job(State.QUEUED, id=f"{number}", task="t.hay", created_at=NOON + timedelta(hours=1 + number))

    first = text(member, "/jobs/?state=queued&task=t.needle")

    assert _ids(first) == []
    assert _ids(text(member, _next(first))) == ["old"]


def test_counts_stop_somewhere(member: Client, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wording, "MOST", 3)
    monkeypatch.setattr(job_pages, "MOST", 3)
    for _ in range(5):
        make_job()

    assert "3+ jobs" in text(member, "/jobs/")


@pytest.mark.parametrize("before", ["nonsense", "2026-05-04,x", "2026-13-45T00:00:00Z,x", "2026-05-04T12:00:00Z,%00"])
def test_a_place_that_is_none_is_the_start(member: Client, make_job: MakeJob, before: str) -> None:
    make_job(id="one")

    assert _ids(text(member, f"/jobs/?before={before}")) == ["one"]


@pytest.mark.parametrize("query", ["", "?state=failed", "?search=t", "?task=some.task&queue=cpu"])
def test_it_asks_as_often_for_many_as_for_one(staff_member: Client, make_job: MakeJob, query: str) -> None:
    counts = []
    for _ in range(2):
        make_job(State.FAILED)
        with CaptureQueriesContext(connection) as queries:
            text(staff_member, f"/jobs/{query}")
        counts.append(len(queries))
        for _ in range(30):
            make_job(State.FAILED)

    assert counts[0] == counts[1] <= 5


def test_it_helps_when_there_are_none(member: Client) -> None:
    assert "No jobs yet" in text(member, "/jobs/")
    assert "No job matches" in text(member, "/jobs/?state=failed")
