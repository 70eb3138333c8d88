"""Fetching by HTTP, and the task that does it."""

from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from apps.fetching.conftest import TrickyServer
from apps.fetching.tasks import fetch_urls
from warren.delivery.models import Job

pytestmark = pytest.mark.django_db


def test_it_accepts_addresses_and_leads_to_the_result(api: APIClient, user: Any) -> None:
    answer = api.post("/api/fetch/", {"urls": ["https://example.com/a?b=c", "http://example.com:8080"]})

    assert answer.status_code == 202
    job = Job.objects.get(pk=answer.json()["task_id"])
    assert (job.task, job.queue, job.owner) == (fetch_urls.name, "io", user)
    assert job.kwargs == {"urls": ["https://example.com/a?b=c", "http://example.com:8080"]}
    assert api.get(answer.headers["Location"]).json()["state"] == "PENDING"


@pytest.mark.parametrize(
    "urls",
    [
        [],
        "http://example.com",
        [1],
        ["example.com"],
        ["ftp://example.com"],
        ["file:///etc/passwd"],
        ["http://"],
        ["http://example.com/\x00"],
        ["http://example.com/" + "x" * 2000],
        ["http://example.com"] * 51,
    ],
)
def test_it_refuses_other_things(api: APIClient, urls: Any) -> None:
    answer = api.post("/api/fetch/", {"urls": urls})

    assert answer.status_code == 400
    assert any(name.startswith("urls") for name in answer.json()["errors"])


def test_the_task_refuses_private_addresses_unless_told(server: TrickyServer, settings: Settings) -> None:
    [refused] = fetch_urls.apply(([server.url("status/200")],), throw=True).result
    settings.FETCH_ALLOW_PRIVATE = True
    [allowed] = fetch_urls.apply(([server.url("status/200")],), throw=True).result

    assert "no public address" in refused["error"]
    assert allowed["status"] == 200
