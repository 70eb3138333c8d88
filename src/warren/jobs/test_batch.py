"""POST /api/jobs/batch/."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from warren.delivery import admission
from warren.delivery.models import Job, OutboxMessage

pytestmark = pytest.mark.django_db

ADD = "arithmetic.add"


@pytest.fixture(autouse=True)
def _forget_what_waits() -> Iterator[None]:
    yield
    admission.forget()


def _job(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {"task": ADD, "args": [number, 1], **fields}


def _submit(api: APIClient, *jobs: Any, key: str | None = None) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return api.post("/api/jobs/batch/", {"jobs": list(jobs)}, headers=headers)


def test_it_accepts_all_in_order_in_one_statement(api: APIClient, user: Any) -> None:
    with CaptureQueriesContext(connection) as captured:
        answer = _submit(api, *(_job(number) for number in range(1000)))

    assert answer.status_code == 202
    jobs = answer.json()["jobs"]
    stored = Job.objects.in_bulk([job["id"] for job in jobs])
    assert [stored[job["id"]].kwargs["num1"] for job in jobs] == list(range(1000))
    assert {job["state"] for job in jobs} == {"accepted"}
    assert {job.owner for job in stored.values()} == {user}
    assert OutboxMessage.objects.count() == 1000
    assert len([each for each in captured.captured_queries if "INSERT INTO warren_job" in each["sql"]]) == 1
    assert api.get(jobs[3]["links"]["self"]).json()["args"] == []


def test_it_keeps_each_job_s_options(api: APIClient) -> None:
    answer = _submit(api, _job(priority=9), _job(countdown=60), _job(expires=60))

    first, second, third = [Job.objects.get(pk=job["id"]) for job in answer.json()["jobs"]]
    assert first.priority == 9
    assert (second.available_at - second.created_at).total_seconds() > 50
    assert third.expires_at is not None


def test_it_names_every_wrong_job_by_its_index_and_accepts_none(api: APIClient) -> None:
    answer = _submit(api, _job(), _job(num="x"), "text", {"args": []}, _job(countdown=-1), _job())

    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {
        "jobs.1.num",
        "jobs.2.non_field_errors",
        "jobs.3.task",
        "jobs.4.countdown",
    }
    assert not Job.objects.exists()


def test_it_names_wrong_arguments_and_unknown_tasks_by_index(api: APIClient) -> None:
    answer = _submit(api, _job(), {"task": ADD, "kwargs": {"num3": 1}}, {"task": "no.such"}, {"task": ADD, "args": [1]})

    assert answer.status_code == 400
    errors = answer.json()["errors"]
    assert "jobs.1.kwargs.num3" in errors
    assert "no.such" in errors["jobs.2.task"][0]
    assert "jobs.3.arguments.num2" in errors
    assert not Job.objects.exists()


def test_it_says_unacceptable_when_all_are_well_formed(api: APIClient) -> None:
    answer = _submit(api, _job(), {"task": "no.such"})

    assert answer.status_code == 422
    assert set(answer.json()["errors"]) == {"jobs.1.task"}


@pytest.mark.parametrize(
    "body", [{}, {"jobs": []}, {"jobs": None}, {"jobs": {}}, {"jobs": [{"task": ADD}] * 1001}, [{"task": ADD}]], ids=len
)
def test_it_refuses_what_is_no_batch(api: APIClient, body: Any) -> None:
    answer = api.post("/api/jobs/batch/", body)

    assert answer.status_code == 400
    [field] = answer.json()["errors"]
    assert field in ("jobs", "non_field_errors")
    assert not Job.objects.exists()


def test_it_refuses_a_body_over_the_limit(api: APIClient, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    answer = _submit(api, *(_job() for _ in range(100)))

    assert answer.status_code == 413
    assert "1000 bytes" in answer.json()["detail"]
    assert "several requests" in answer.json()["detail"]


def test_it_answers_the_same_again_for_the_same_key(api: APIClient) -> None:
    first = _submit(api, _job(1), _job(2), key="b-1")
    second = _submit(api, _job(1), _job(2), key="b-1")

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    assert ("Idempotency-Replayed" in first.headers, second.headers["Idempotency-Replayed"]) == (False, "true")
    assert Job.objects.count() == 2


def test_it_still_answers_when_some_of_the_jobs_are_deleted(api: APIClient) -> None:
    first = _submit(api, _job(1), _job(2), key="b-1").json()["jobs"]
    Job.objects.get(pk=first[1]["id"]).delete()

    second = _submit(api, _job(1), _job(2), key="b-1").json()["jobs"]

    assert [job["id"] for job in first] == [job["id"] for job in second]
    assert [job["state"] for job in second] == ["accepted", None]


@pytest.mark.parametrize("jobs", [[_job(2), _job(1)], [_job(1)], [_job(1), _job(2), _job(3)]], ids=len)
def test_it_refuses_another_batch_under_the_same_key(api: APIClient, jobs: list[Any]) -> None:
    first = _submit(api, _job(1), _job(2), key="b-1").json()["jobs"]

    answer = _submit(api, *jobs, key="b-1")

    assert answer.status_code == 409
    assert first[0]["id"] in answer.json()["detail"]
    assert Job.objects.count() == 2


def test_it_admits_all_or_none(api: APIClient, settings: Settings) -> None:
    settings.WAITING_LIMITS = {"cpu": 3}
    admission.forget()

    refused = _submit(api, *(_job() for _ in range(4)), key="b-1")
    accepted = _submit(api, *(_job() for _ in range(3)), key="b-1")

    assert (refused.status_code, accepted.status_code) == (503, 202)
    assert "'cpu' has no room for 4 more: 0 jobs wait, and the limit is 3" in refused.json()["detail"]
    assert Job.objects.count() == 3


def test_it_needs_a_login(anybody: APIClient) -> None:
    assert _submit(anybody, _job()).status_code == 401
