"""What was given up, and what the broker would not take."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from warren.dashboard.conftest import LIVE, text
from warren.delivery import history
from warren.delivery.models import OutboxMessage
from warren.delivery.states import State
from warren.jobs.conftest import MakeJob

pytestmark = pytest.mark.django_db


def _dead(make_job: MakeJob, job_id: str, **fields: Any) -> None:
    job = make_job(State.DEAD, id=job_id, losses=5, **fields)
    history.record([job.pk], kind=history.DEAD, reason=f"given up: {job_id}")


def _refused(make_job: MakeJob, job_id: str, **fields: Any) -> None:
    message = {"failures": 3, "last_error": f"NOT_FOUND: {job_id}"}
    OutboxMessage.objects.create(job=make_job(id=job_id, **fields), **message)


def test_it_tells_why(member: Client, make_job: MakeJob) -> None:
    _dead(make_job, "dead-one")
    _refused(make_job, "refused-one")
    OutboxMessage.objects.create(job=make_job(id="well"))

    page = text(member, "/dead-letters/")

    assert "given up: dead-one" in page
    assert "NOT_FOUND: refused-one" in page
    assert 'href="/jobs/well/"' not in page


def test_others_are_not_shown_but_to_the_staff(
    member: Client, staff_member: Client, make_job: MakeJob, stranger: Any
) -> None:
    _dead(make_job, "his-dead", owner=stranger)
    _refused(make_job, "his-refused", owner=stranger)

    seen = {name in text(client, "/dead-letters/") for client in (member,) for name in ("his-dead", "his-refused")}

    assert seen == {False}
    page = text(staff_member, "/dead-letters/", headers=LIVE)
    assert "his-dead" in page
    assert "his-refused" in page


def test_it_helps_when_there_are_none(member: Client) -> None:
    assert text(member, "/dead-letters/").count("<strong>None</strong>") == 2


def test_it_asks_as_often_for_many_as_for_one(staff_member: Client, make_job: MakeJob) -> None:
    counts = []
    for number in range(2):
        _dead(make_job, f"dead {number}")
        _refused(make_job, f"refused {number}")
        with CaptureQueriesContext(connection) as queries:
            text(staff_member, "/dead-letters/")
        counts.append(len(queries))
        for more in range(20):
            _dead(make_job, f"dead {number} {more}")
            _refused(make_job, f"refused {number} {more}")

    assert counts[0] == counts[1] <= 6
