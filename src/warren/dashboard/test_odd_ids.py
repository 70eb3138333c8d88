"""A job that a foreign producer called by an id with a slash stands in every list, and its links lead to it."""

import html
import re
from typing import Any

import pytest
from django.test import Client

from warren.dashboard.conftest import text
from warren.delivery.models import Job, OutboxMessage
from warren.delivery.states import State
from warren.jobs.conftest import MakeJob
from warren.scheduling.models import ScheduleEvent

pytestmark = pytest.mark.django_db

ODD = "orders/42"


@pytest.fixture
def job(make_job: MakeJob, staff: Any) -> Job:
    """One that every list has a reason to show, with a parent and a child of its kind."""
    made = make_job(State.DEAD, id=ODD, task="probe.odd", root_id="orders", parent_id="orders/41")
    make_job(State.SUCCEEDED, id="orders/41", root_id="orders")
    make_job(id="orders/43", root_id="orders", parent_id=ODD)
    OutboxMessage.objects.create(job=made, failures=3, last_error="no such queue")
    ScheduleEvent.objects.create(name="hourly", kind=ScheduleEvent.Kind.RUN, actor=staff, job_id=ODD)
    return made


def _links(page: str) -> set[str]:
    return {html.unescape(link) for link in re.findall(r'href="(/jobs/[^"?]+)"', page)}


@pytest.mark.parametrize("path", ["/jobs/", "/dead-letters/", "/schedules/", "/bulk/retry/?state=dead"])
@pytest.mark.usefixtures("job")
def test_every_list_leads_to_it(staff_member: Client, path: str) -> None:
    pages = [text(staff_member, link) for link in _links(text(staff_member, path))]

    assert any("<title>probe.odd ·" in page for page in pages)


@pytest.mark.usefixtures("job")
def test_its_page_leads_to_its_family_and_its_buttons_work(staff_member: Client) -> None:
    assert {"/jobs/orders~141/", "/jobs/orders~143/"} <= _links(text(staff_member, "/jobs/orders~142/"))
    [step] = set(re.findall(r'action="(/jobs/[^"]+/cancel/)"', text(staff_member, "/jobs/orders~143/")))

    staff_member.post(step, {"reason": "not needed"})

    assert Job.objects.get(pk="orders/43").state == State.CANCELLED
