"""The API's schema, the pages, and jobs in the admin."""

from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from warren.delivery.states import State
from warren.jobs.conftest import MakeJob

pytestmark = pytest.mark.django_db


def test_the_schema_is_valid_and_complete(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn")

    schema = capsys.readouterr().out
    paths = (
        "jobs/",
        "jobs/{job_id}/",
        "jobs/{job_id}/cancel/",
        "jobs/{job_id}/retry/",
        "jobs/retry/",
        "jobs/cancel/",
        "task-result/{task_id}/",
        "tasks/",
        "register/",
        "token/",
    )
    assert [path for path in paths if f"  /api/{path}:" not in schema] == []


def test_the_schema_and_its_page_are_open(client: Client) -> None:
    assert client.get("/api/schema/").status_code == 200
    assert client.get("/api/docs/").status_code == 200


def test_the_admin_shows_jobs_and_changes_none(client: Client, staff: Any, make_job: MakeJob) -> None:
    job = make_job(State.FAILED)
    client.force_login(staff)

    assert job.pk in client.get("/admin/delivery/job/?state__exact=failed&q=some.task").content.decode()
    assert job.pk not in client.get("/admin/delivery/job/?state__exact=running").content.decode()
    assert client.get(f"/admin/delivery/job/{job.pk}/change/").status_code == 200
    statuses = [
        client.post(f"/admin/delivery/job/{job.pk}/change/", {"state": "running"}).status_code,
        client.post(f"/admin/delivery/job/{job.pk}/delete/", {"post": "yes"}).status_code,
        client.get("/admin/delivery/job/add/").status_code,
    ]
    assert statuses == [403, 403, 403]
