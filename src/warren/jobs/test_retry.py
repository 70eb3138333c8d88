"""POST /api/jobs/<id>/retry/ and /api/jobs/retry/."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from warren.delivery.models import Job, JobEvent, OutboxMessage
from warren.delivery.retry import RETRYABLE
from warren.delivery.states import State
from warren.jobs import bulk
from warren.jobs.conftest import MakeJob

pytestmark = pytest.mark.django_db

ADD = "arithmetic.add"
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def ended(make_job: MakeJob, api: APIClient) -> MakeJob:
    """Makes jobs that have ended, with the message of a real one."""
    accepted = api.post("/api/jobs/", {"task": ADD, "args": [1, 2]}).json()
    message = Job.objects.get(pk=accepted["id"]).message
    Job.objects.all().delete()

    def make(state: State, **fields: Any) -> Job:
        return make_job(state, **{"message": message, "task": ADD, **fields})

    return make


def _retried(api: APIClient, body: dict[str, Any]) -> set[str]:
    answer = api.post("/api/jobs/retry/", body)
    assert answer.status_code == 200, answer.content
    assert answer.json()["retried"] == len(answer.json()["ids"])
    return set(answer.json()["ids"])


@pytest.mark.parametrize("state", RETRYABLE)
def test_it_puts_the_job_back_and_shows_it_with_its_history(api: APIClient, ended: MakeJob, state: State) -> None:
    job = ended(state, attempt=2)

    answer = api.post(f"/api/jobs/{job.pk}/retry/", {"reason": "mended"})

    assert answer.status_code == 200
    told = answer.json()
    assert (told["state"], told["attempt"], told["finished_at"]) == ("accepted", 2, None)
    event = told["history"][0]
    assert (event["kind"], event["by"], event["reason"], event["state"]) == (
        "retried",
        "ann@example.com",
        "mended",
        state.value,
    )
    assert OutboxMessage.objects.get().job_id == job.pk


def test_it_needs_no_body(api: APIClient, ended: MakeJob) -> None:
    assert api.post(f"/api/jobs/{ended(State.FAILED).pk}/retry/").status_code == 200


@pytest.mark.parametrize("state", [State.ACCEPTED, State.QUEUED, State.RUNNING, State.RETRYING, State.SUCCEEDED])
def test_it_says_why_a_job_cannot_be_retried(api: APIClient, ended: MakeJob, state: State) -> None:
    answer = api.post(f"/api/jobs/{ended(state).pk}/retry/")

    assert answer.status_code == 409
    assert state.value in answer.json()["detail"]
    assert not JobEvent.objects.exists()


def test_it_lets_owner_and_staff_only(
    ended: MakeJob, stranger_api: APIClient, staff_api: APIClient, anybody: APIClient
) -> None:
    path = f"/api/jobs/{ended(State.FAILED).pk}/retry/"

    assert [each.post(path).status_code for each in (stranger_api, anybody, staff_api)] == [404, 401, 200]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "ids"),
        ({"ids": ["a"], "filter": {}}, "ids"),
        ({"ids": []}, "ids"),
        ({"ids": ["a"] * (bulk.MOST + 1)}, "ids"),
        ({"ids": [{}]}, "ids.0"),
        ({"filter": {"stat": "failed"}}, "filter.stat"),
        ({"filter": {"state": "happy"}}, "filter.state"),
        ({"filter": {"state": "succeeded"}}, "filter.state"),
        ({"filter": {"state": "running"}}, "filter.state"),
        ({"filter": {"created_after": "yesterday"}}, "filter.created_after"),
        ({"filter": {}, "raeson": "x"}, "raeson"),
        ({"filter": {}, "reason": "x" * 2001}, "reason"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_it_refuses_what_it_does_not_understand(
    api: APIClient, ended: MakeJob, body: dict[str, Any], field: str
) -> None:
    ended(State.FAILED)

    answer = api.post("/api/jobs/retry/", body)

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]
    assert Job.objects.get().state == State.FAILED


def test_it_retries_by_ids_and_says_which_not(api: APIClient, ended: MakeJob, stranger: Any) -> None:
    failed, done = ended(State.FAILED), ended(State.SUCCEEDED)
    hidden = ended(State.FAILED, owner=stranger)

    answer = api.post("/api/jobs/retry/", {"ids": [failed.pk, done.pk, hidden.pk, "nobody"]}).json()

    assert (answer["retried"], answer["ids"], answer["more"]) == (1, [failed.pk], False)
    assert {each["id"]: each["why"] for each in answer["refused"]}.keys() == {done.pk, hidden.pk, "nobody"}
    hidden.refresh_from_db()
    assert hidden.state == State.FAILED


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, {"failed", "dead", "late", "io"}),
        ({"state": "dead"}, {"dead"}),
        ({"state": "cancelled"}, {"cancelled"}),
        ({"queue": "io"}, {"io"}),
        ({"task": "other.task"}, {"dead"}),
        ({"created_after": "2026-05-04T12:30:00Z"}, {"late"}),
        ({"created_before": "2026-05-04T12:30:00Z", "queue": "cpu", "state": "failed"}, {"failed"}),
    ],
    ids=str,
)
def test_it_retries_by_filter(api: APIClient, ended: MakeJob, wanted: dict[str, str], expected: set[str]) -> None:
    ended(State.FAILED, id="failed", created_at=NOON)
    ended(State.DEAD, id="dead", created_at=NOON, task="other.task")
    ended(State.CANCELLED, id="cancelled", created_at=NOON)
    ended(State.EXPIRED, id="expired", created_at=NOON)
    ended(State.SUCCEEDED, id="succeeded", created_at=NOON)
    ended(State.FAILED, id="late", created_at=NOON + timedelta(hours=1))
    ended(State.FAILED, id="io", created_at=NOON, queue="io")

    assert _retried(api, {"filter": wanted}) == expected


def test_a_filter_reaches_ones_own_jobs_and_all_for_staff(
    api: APIClient, staff_api: APIClient, ended: MakeJob, stranger: Any
) -> None:
    mine, his = ended(State.FAILED), ended(State.FAILED, owner=stranger)

    assert _retried(api, {"filter": {}}) == {mine.pk}
    assert _retried(staff_api, {"filter": {}}) == {his.pk}


def test_a_filter_takes_the_oldest_and_says_that_there_are_more(
    api: APIClient, ended: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST", 2)
    ended(State.FAILED, id="unsent", message="", created_at=NOON)
    for hours in (3, 1, 2):
        ended(State.FAILED, id=str(hours), created_at=NOON + timedelta(hours=hours))

    first = api.post("/api/jobs/retry/", {"filter": {}}).json()
    second = api.post("/api/jobs/retry/", {"filter": {}}).json()

    assert (first["ids"], first["refused"], first["more"]) == (["1", "2"], [], True)
    assert (second["ids"], [each["id"] for each in second["refused"]], second["more"]) == (["3"], ["unsent"], False)


def test_it_asks_the_database_as_often_for_many_jobs_as_for_few(
    api: APIClient, ended: MakeJob, django_assert_max_num_queries: Any
) -> None:
    ids = [ended(State.FAILED).pk for _ in range(50)]

    with django_assert_max_num_queries(20):
        assert _retried(api, {"ids": ids}) == set(ids)
