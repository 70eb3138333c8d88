"""POST /api/jobs/."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from warren.delivery.models import Job, OutboxMessage
from warren.jobs.bodies import BoundedJSONParser
from warren.jobs.errors import BodyTooLargeError

pytestmark = pytest.mark.django_db

ADD = "arithmetic.add"


def _submit(api: APIClient, **body: Any) -> Any:
    return api.post("/api/jobs/", {"task": ADD, "kwargs": {"num1": 1, "num2": 2}, **body})


def _ahead(**delta: float) -> datetime:
    return timezone.now() + timedelta(**delta)


def test_it_accepts_a_job(api: APIClient, user: Any) -> None:
    answer = _submit(api)

    assert answer.status_code == 202
    body = answer.json()
    job = Job.objects.get()
    assert (body["id"], body["state"]) == (job.pk, "accepted")
    assert (job.task, job.queue, job.kwargs, job.owner) == (ADD, "cpu", {"num1": 1, "num2": 2}, user)
    assert OutboxMessage.objects.get().job_id == job.pk
    assert answer.headers["Location"] == body["links"]["self"]
    assert api.get(body["links"]["self"]).json()["id"] == job.pk
    assert api.get(body["links"]["result"]).json()["state"] == "PENDING"
    assert api.post(body["links"]["cancel"]).json()["state"] == "cancelled"


@pytest.mark.parametrize(
    ("args", "kwargs"), [([1, 2], {}), ([1], {"num2": 2}), ([], {"num2": 2, "num1": 1}), ([1, 2], None)]
)
def test_it_fills_arguments_in_order_and_by_name(api: APIClient, args: list[Any], kwargs: Any) -> None:
    answer = api.post("/api/jobs/", {"task": ADD, "args": args, **({} if kwargs is None else {"kwargs": kwargs})})

    assert answer.status_code == 202
    assert Job.objects.get().kwargs == {"num1": 1, "num2": 2}


@pytest.mark.parametrize(
    ("args", "kwargs", "field"),
    [
        ([], {}, "arguments.num1"),
        ([1], {}, "arguments.num2"),
        ([1, 2, 3], {}, "args"),
        ([1, 2], {"num3": 3}, "kwargs.num3"),
        ([1, 2], {"num2": 3}, "kwargs.num2"),
        (["x", 2], {}, "arguments.num1"),
        ([None, 2], {}, "arguments.num1"),
    ],
)
def test_it_says_what_the_task_takes(api: APIClient, args: list[Any], kwargs: dict[str, Any], field: str) -> None:
    answer = _submit(api, args=args, kwargs=kwargs)

    assert answer.status_code == 400
    errors = answer.json()["errors"]
    assert field in errors
    assert "num1 (number" in errors["accepts"][0]
    assert "num2 (number" in errors["accepts"][0]
    assert not Job.objects.exists()


@pytest.mark.parametrize("task", ["no.such.task", "celery.backend_cleanup", "accounts.send_welcome_mail"])
def test_it_lists_the_tasks_that_can_be_called(api: APIClient, task: str) -> None:
    answer = _submit(api, task=task)

    assert answer.status_code == 422
    assert task in answer.json()["errors"]["task"][0]
    assert ADD in answer.json()["errors"]["task"][0]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("task", 5),
        ("task", None),
        ("task", ""),
        ("args", {}),
        ("args", "12"),
        ("kwargs", []),
        ("countdown", -1),
        ("countdown", -0.001),
        ("countdown", "5"),
        ("countdown", "nan"),
        ("countdown", True),
        ("countdown", 366 * 86_400),
        ("eta", "tomorrow"),
        ("eta", 5),
        ("eta", "2030-13-01T00:00:00Z"),
        ("expires", 0),
        ("expires", -5),
        ("expires", "soon"),
        ("expires", True),
        ("expires", []),
        ("expires", 10**12),
        ("priority", -1),
        ("priority", 10),
        ("priority", 1.5),
        ("priority", "high"),
        ("countdwon", 5),
    ],
)
def test_it_names_the_field_of_a_wrong_type_or_bound(api: APIClient, field: str, value: Any) -> None:
    answer = _submit(api, **{field: value})

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"eta": "2020-01-01T00:00:00Z"}, "eta"),
        ({"eta": "2999-01-01T00:00:00Z"}, "eta"),
        ({"eta": "9999-12-31T23:59:59-14:00"}, "eta"),
        ({"eta": "2030-01-01T00:00:00"}, "eta"),
        ({"expires": "2020-01-01T00:00:00Z"}, "expires"),
        ({"expires": "2030-01-01T00:00:00"}, "expires"),
        ({"expires": "9999-12-31T23:59:59-14:00"}, "expires"),
        ({"expires": 5, "countdown": 10}, "expires"),
        ({"expires": 5, "countdown": 5}, "expires"),
    ],
)
def test_it_refuses_times_that_make_no_sense(api: APIClient, body: dict[str, Any], field: str) -> None:
    answer = _submit(api, **body)

    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]
    assert not Job.objects.exists()


def test_it_refuses_countdown_and_eta_at_once(api: APIClient) -> None:
    answer = _submit(api, countdown=1, eta=_ahead(hours=1).isoformat())

    assert answer.status_code == 400
    assert "not both" in answer.json()["errors"]["eta"][0]


def test_it_refuses_an_expiry_before_the_eta(api: APIClient) -> None:
    answer = _submit(api, eta=_ahead(hours=2).isoformat(), expires=_ahead(hours=1).isoformat())

    assert answer.status_code == 422
    assert "expires" in answer.json()["errors"]


@pytest.mark.parametrize("countdown", [0.25, 90, 365 * 86_400])
def test_it_waits_for_the_countdown(api: APIClient, countdown: float) -> None:
    before = timezone.now()
    _submit(api, countdown=countdown)
    after = timezone.now()

    [job], [message] = Job.objects.all(), OutboxMessage.objects.all()
    assert before <= job.available_at - timedelta(seconds=countdown) <= after
    assert message.available_at == job.available_at


def test_it_runs_at_once_without_a_countdown(api: APIClient) -> None:
    _submit(api, countdown=0)

    assert Job.objects.get().available_at <= timezone.now()


def test_it_waits_for_the_eta_whatever_its_offset(api: APIClient) -> None:
    eta = _ahead(hours=5)

    _submit(api, eta=eta.astimezone(tz=UTC).isoformat().replace("+00:00", "Z"))

    assert Job.objects.get().available_at == eta


def test_it_counts_an_expiry_in_seconds_from_now(api: APIClient) -> None:
    before = timezone.now()
    _submit(api, expires=60.5)

    expires_at = Job.objects.get().expires_at
    assert expires_at is not None
    assert before <= expires_at - timedelta(seconds=60.5) <= timezone.now()


def test_it_keeps_an_expiry_after_the_eta_and_the_priority(api: APIClient) -> None:
    eta, expires = _ahead(hours=1), _ahead(hours=2)

    _submit(api, eta=eta.isoformat(), expires=expires.isoformat(), priority=9)

    job = Job.objects.get()
    assert (job.available_at, job.expires_at, job.priority) == (eta, expires, 9)


def test_it_takes_null_for_nothing(api: APIClient) -> None:
    assert _submit(api, countdown=None, eta=None, expires=None, priority=None).status_code == 202


@pytest.mark.parametrize(
    "body", ["", "{", "[]", '"x"', "5", "null", '{"task": NaN}', "[" * 100_000, "1" * 5000, "\xff"]
)
def test_it_refuses_what_is_no_json_object(api: APIClient, body: str) -> None:
    answer = api.post("/api/jobs/", body.encode("latin-1"), content_type="application/json")

    assert answer.status_code == 400
    assert set(answer.json()) == {"detail", "errors"}


def test_it_refuses_another_form_of_body(api: APIClient) -> None:
    assert api.post("/api/jobs/", "task=x", content_type="application/x-www-form-urlencoded").status_code == 415


def test_it_refuses_an_announced_large_body(api: APIClient, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    answer = _submit(api, args=["x" * 1000])

    assert answer.status_code == 413
    assert "1000 bytes" in answer.json()["detail"]


@pytest.mark.parametrize(("size", "fits"), [(1000, True), (1001, False)])
def test_it_reads_no_more_than_the_limit_of_a_body_of_unknown_length(
    settings: Settings, size: int, fits: object
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = BytesIO(b'"' + b"x" * (size - 2) + b'"' + b" " * 5000 * (not fits))

    with nullcontext() if fits else pytest.raises(BodyTooLargeError, match="1000 bytes"):
        BoundedJSONParser().parse(body)

    assert body.tell() <= 1001


def test_it_asks_for_the_length_of_a_body_in_chunks(api: APIClient) -> None:
    answer = api.post("/api/jobs/", {"task": ADD}, headers={"Transfer-Encoding": "chunked"})

    assert answer.status_code == 411
    assert "Content-Length" in answer.json()["detail"]


def test_it_needs_a_login(anybody: APIClient) -> None:
    assert _submit(anybody).status_code == 401
