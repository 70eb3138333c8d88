"""What GET /api/jobs/<id>/ and the admin tell of a job's history."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from warren.delivery import history
from warren.delivery.states import State
from warren.jobs.conftest import MakeJob

pytestmark = pytest.mark.django_db

ERROR = '{"exc_type": "ValueError", "exc_message": ["no luck"], "exc_module": "builtins"}'


def test_it_tells_the_oldest_first_and_how_the_job_stood(api: APIClient, make_job: MakeJob, user: Any) -> None:
    job = make_job(State.FAILED, attempt=2, worker="w1", result=ERROR, traceback="at line 5")
    history.record([job.pk], kind=history.DEAD, reason="given up")
    history.record([job.pk], kind=history.RETRIED, by=history.Actor(user_id=user.pk), reason="it was the disk")

    told = api.get(f"/api/jobs/{job.pk}/").json()["history"]

    assert [(event["kind"], event["by"], event["reason"]) for event in told] == [
        ("dead", None, "given up"),
        ("retried", "ann@example.com", "it was the disk"),
    ]
    assert (told[1]["state"], told[1]["attempt"], told[1]["worker"]) == ("failed", 2, "w1")
    assert told[1]["error"] == {"type": "ValueError", "message": "no luck", "traceback": "at line 5"}


def test_it_names_staff_to_staff_only(api: APIClient, staff_api: APIClient, make_job: MakeJob, staff: Any) -> None:
    job = make_job()
    history.record([job.pk], kind=history.CANCELLED, by=history.Actor(user_id=staff.pk))
    history.record([job.pk], kind=history.CANCELLED, by=history.Actor(label="command line (root)"))

    told = [[event["by"] for event in each.get(f"/api/jobs/{job.pk}/").json()["history"]] for each in (api, staff_api)]

    assert told == [["staff", "command line"], ["root@example.com", "command line (root)"]]


def test_it_asks_as_often_however_long_the_history(
    staff_api: APIClient, make_job: MakeJob, user: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    job = make_job()
    for _ in range(20):
        history.record([job.pk], kind=history.LOST, by=history.Actor(user_id=user.pk))

    with django_assert_num_queries(2):
        answer = staff_api.get(f"/api/jobs/{job.pk}/")

    assert len(answer.json()["history"]) == 20


def test_the_admin_shows_it(client: Client, staff: Any, make_job: MakeJob) -> None:
    job = make_job()
    history.record([job.pk], kind=history.LOST, reason="its worker is gone")
    client.force_login(staff)

    page = client.get(f"/admin/delivery/job/{job.pk}/change/").content.decode()

    assert "its worker is gone" in page
