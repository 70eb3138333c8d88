"""GET /api/jobs/ and GET /api/jobs/<id>/."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from rest_framework.test import APIClient

from warren.delivery.states import State
from warren.jobs.conftest import MakeJob

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def _ids(api: APIClient, query: str = "") -> list[str]:
    answer = api.get(f"/api/jobs/{query}")
    assert answer.status_code == 200, answer.content
    return [job["id"] for job in answer.json()["results"]]


def test_it_lists_newest_first(api: APIClient, make_job: MakeJob) -> None:
    for hours in (1, 3, 2):
        make_job(id=f"{hours}", created_at=NOON + timedelta(hours=hours))

    assert _ids(api) == ["3", "2", "1"]


def test_it_lists_ones_own_jobs_and_all_to_staff(
    make_job: MakeJob, stranger: Any, api: APIClient, stranger_api: APIClient, staff_api: APIClient
) -> None:
    make_job(id="mine")
    make_job(id="his", owner=stranger)
    make_job(id="nobody's", owner=None)

    assert _ids(api) == ["mine"]
    assert _ids(stranger_api) == ["his"]
    assert set(_ids(staff_api)) == {"mine", "his", "nobody's"}


def test_it_needs_a_login(anybody: APIClient) -> None:
    assert anybody.get("/api/jobs/").status_code == 401


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state=failed", {"a"}),
        ("task=t.one", {"a", "b"}),
        ("task=t.on", set()),
        ("queue=io", {"b", "c"}),
        ("queue=io&task=t.one", {"b"}),
        ("created_after=2026-05-04T12:00:00Z", {"b", "c"}),
        ("created_before=2026-05-04T13:00:00Z", {"a"}),
        ("created_after=2026-05-04T14:30:00%2B02:00&created_before=2026-05-04T13:30:00Z", {"b"}),
        ("search=T.ONE", {"a", "b"}),
        ("search=rabbit", {"b"}),
        ("search=" + quote("Möhre"), {"c"}),
        ("search=100%25", {"c"}),
        ("search=_", set()),
        ("search=%5C", set()),
    ],
)
def test_it_filters(api: APIClient, make_job: MakeJob, query: str, expected: set[str]) -> None:
    make_job(State.FAILED, id="a", task="t.one", created_at=NOON)
    make_job(
        id="b", task="t.one", queue="io", created_at=NOON + timedelta(hours=1), arguments=json.dumps([["Rabbit"], {}])
    )
    make_job(
        id="c",
        task="t.two",
        queue="io",
        created_at=NOON + timedelta(hours=2),
        arguments=json.dumps([[], {"food": "Möhre 100%"}]),
    )

    assert set(_ids(api, f"?{query}")) == expected


@pytest.mark.parametrize("query", ["state=lost", "created_after=noon", "search=%00", "task=" + "x" * 300])
def test_it_refuses_a_query_that_makes_no_sense(api: APIClient, query: str) -> None:
    answer = api.get(f"/api/jobs/?{query}")

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [query.partition("=")[0]]


def test_it_gives_pages_that_miss_and_repeat_nothing(api: APIClient, make_job: MakeJob) -> None:
    made = {make_job(id=str(number), created_at=NOON).pk for number in range(7)}

    seen: list[str] = []
    url = "/api/jobs/?page_size=3"
    while url:
        page = api.get(url).json()
        seen += [job["id"] for job in page["results"]]
        url = page["next"]

    assert len(seen) == 7
    assert set(seen) == made


@pytest.mark.parametrize("cursor", ["x", "cD1hYmM=", "cD0yMDI2LTEzLTAx", "bz0tMQ==", "cD0lMDA="])
def test_it_refuses_a_cursor_that_is_not_its_own(api: APIClient, cursor: str) -> None:
    assert api.get(f"/api/jobs/?cursor={cursor}").status_code == 404


def test_it_shows_all_of_a_job(api: APIClient, user: Any, make_job: MakeJob) -> None:
    job = make_job(
        State.RUNNING,
        arguments=json.dumps([[1], {"day": {"__type__": "date", "__value__": "2026-05-04"}}]),
        progress=json.dumps({"state": "PROGRESS", "meta": {"done": 1}}),
        attempt=2,
        worker="cpu@one",
        started_at=NOON,
    )

    shown = api.get(f"/api/jobs/{job.pk}/").json()

    assert (shown["id"], shown["state"], shown["celery_state"], shown["owner"]) == (
        job.pk,
        "running",
        "STARTED",
        user.pk,
    )
    assert (shown["args"], shown["kwargs"]) == ([1], {"day": "2026-05-04"})
    assert shown["progress"] == {"state": "PROGRESS", "meta": {"done": 1}}
    assert (shown["attempt"], shown["worker"]) == (2, "cpu@one")
    assert (shown["started_at"], shown["finished_at"]) == ("2026-05-04T12:00:00Z", None)
    assert (shown["result"], shown["error"]) == (None, None)
    assert shown["links"]["cancel"].endswith(f"/api/jobs/{job.pk}/cancel/")


def test_it_shows_the_result(api: APIClient, make_job: MakeJob) -> None:
    shown = api.get(f"/api/jobs/{make_job(State.SUCCEEDED, result='[NaN, 3]').pk}/").json()

    assert (shown["result"], shown["error"]) == (["nan", 3], None)


@pytest.mark.parametrize(("message", "text"), [(["no", 5], "no, 5"), ("no", "no"), ([], ""), (None, "")])
def test_it_shows_the_error(api: APIClient, make_job: MakeJob, message: Any, text: str) -> None:
    stored = json.dumps({"exc_type": "KeyError", "exc_message": message, "exc_module": "builtins"})
    job = make_job(State.FAILED, result=stored, traceback="Traceback: …")

    shown = api.get(f"/api/jobs/{job.pk}/").json()

    assert shown["error"] == {"type": "KeyError", "message": text, "traceback": "Traceback: …"}
    assert shown["result"] is None


def test_it_shows_a_dead_job_that_left_no_word(api: APIClient, make_job: MakeJob) -> None:
    shown = api.get(f"/api/jobs/{make_job(State.DEAD).pk}/").json()

    assert shown["error"] == {"type": "", "message": "", "traceback": ""}


def test_it_shows_jobs_to_their_owner_and_to_staff_only(
    make_job: MakeJob, stranger_api: APIClient, staff_api: APIClient, anybody: APIClient
) -> None:
    path = f"/api/jobs/{make_job().pk}/"

    assert [each.get(path).status_code for each in (stranger_api, staff_api, anybody)] == [404, 200, 401]


@pytest.mark.parametrize("job_id", ["nothing", "%00", "x" * 3000])
def test_it_knows_nothing_else(api: APIClient, job_id: str) -> None:
    assert api.get(f"/api/jobs/{job_id}/").status_code == 404
