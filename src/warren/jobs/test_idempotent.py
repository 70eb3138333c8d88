"""The header Idempotency-Key, and a queue that is full."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from warren.delivery import admission
from warren.delivery.models import Job

pytestmark = pytest.mark.django_db

KEY = "order-17"
TOMORROW = (timezone.now() + timedelta(days=1)).isoformat()


@pytest.fixture(autouse=True)
def _forget_what_waits() -> Iterator[None]:
    yield
    admission.forget()


def _submit(api: APIClient, *, key: str = KEY, **body: Any) -> Any:
    submission = {"task": "arithmetic.add", "args": [1, 2], **body}
    return api.post("/api/jobs/", submission, headers={"Idempotency-Key": key})


@pytest.mark.parametrize("body", [{}, {"countdown": 60}, {"expires": 60}, {"eta": TOMORROW}, {"priority": 1}], ids=str)
def test_it_answers_the_same_again(api: APIClient, body: dict[str, Any], settings: Settings) -> None:
    first = _submit(api, **body)
    settings.WAITING_LIMITS = {"cpu": 1}  # an answer that was given needs no room

    second = _submit(api, **body)

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    assert first.headers["Location"] == second.headers["Location"]
    assert ("Idempotency-Replayed" in first.headers, second.headers["Idempotency-Replayed"]) == (False, "true")
    assert Job.objects.get().pk == first.json()["id"]


def test_it_tells_the_state_of_now(api: APIClient) -> None:
    first = _submit(api).json()
    api.post(first["links"]["cancel"])

    assert _submit(api).json() == {**first, "state": "cancelled"}


def test_it_answers_the_same_when_the_eta_is_past_by_now(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    first = _submit(api, eta=TOMORROW)
    assert first.status_code == 202
    in_two_days = timezone.now() + timedelta(days=2)
    monkeypatch.setattr("django.utils.timezone.now", lambda: in_two_days)

    second = _submit(api, eta=TOMORROW)

    assert second.status_code == 202
    assert first.json() == second.json()


@pytest.mark.parametrize(
    "body",
    [{"args": [2, 1]}, {"countdown": 1}, {"expires": 60}, {"priority": 1}, {"task": "accounts.no"}, {"args": [1]}],
    ids=str,
)
def test_it_names_key_and_job_when_the_content_is_another(api: APIClient, body: dict[str, Any]) -> None:
    first = _submit(api).json()

    answer = _submit(api, **body)

    assert answer.status_code == 409
    assert KEY in answer.json()["detail"]
    assert first["id"] in answer.json()["detail"]
    assert Job.objects.count() == 1


def test_it_keeps_no_key_of_a_request_that_was_refused(api: APIClient) -> None:
    assert _submit(api, args=["x", 2]).status_code == 400
    assert _submit(api, task="no.such").status_code == 422

    assert _submit(api).status_code == 202


def test_it_knows_each_user_s_keys_apart(api: APIClient, stranger_api: APIClient) -> None:
    ids = {_submit(client).json()["id"] for client in (api, stranger_api, api)}

    assert len(ids) == 2


@pytest.mark.parametrize(
    ("key", "reason"), [("", "1 to 255"), ("x" * 256, "not 256"), ("a\x00b", "printable"), ("tab\there", "printable")]
)
@pytest.mark.parametrize("path", ["/api/jobs/", "/api/jobs/batch/", "/api/add-numbers/", "/api/fetch/"])
def test_it_says_why_a_key_is_refused(api: APIClient, path: str, key: str, reason: str) -> None:
    body = {"num1": 1, "num2": 2} if "add" in path else {"urls": ["https://example.com/"]}

    answer = api.post(path, body, headers={"Idempotency-Key": key})

    assert answer.status_code == 400
    assert reason in answer.json()["errors"]["Idempotency-Key"][0]
    assert not Job.objects.exists()


def test_it_works_on_an_app_s_own_endpoint(api: APIClient) -> None:
    def add(number: int) -> Any:
        return api.post("/api/add-numbers/", {"num1": number, "num2": 2}, headers={"Idempotency-Key": KEY})

    first, second, other = add(1), add(1), add(5)

    assert first.json() == second.json()
    assert ("Idempotency-Replayed" in first.headers, second.headers["Idempotency-Replayed"]) == (False, "true")
    assert other.status_code == 409
    assert Job.objects.count() == 1


def test_it_asks_to_come_back_when_the_queue_is_full(api: APIClient, settings: Settings) -> None:
    settings.WAITING_LIMITS = {"cpu": 1}
    admission.forget()
    assert _submit(api, key="first").status_code == 202

    answers = [_submit(api), api.post("/api/add-numbers/", {"num1": 1, "num2": 2})]

    for answer in answers:
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "'cpu' has no room for 1 more: 1 jobs wait, and the limit is 1" in answer.json()["detail"]
    assert Job.objects.count() == 1
