"""Reports tried in the browser."""

from typing import Any

import pytest
from django.test import Client

from apps.reports.conftest import MakeReport, path_of
from apps.reports.tasks import make_report
from warren.delivery.models import Job
from warren.delivery.states import State
from warren.jobs.conftest import MakeJob
from warren.try_it import conftest as try_it

pytestmark = pytest.mark.django_db

PATH = "/try/reports.make_report/"
_site, browser, make_job = try_it._site, try_it.browser, try_it.make_job


def test_its_form_as_it_stands_can_be_sent(browser: Client) -> None:
    context: Any = browser.get(PATH).context["form"]
    given = {each.name: each.value for each in context["fields"]}

    answer: Any = browser.post(PATH, given)

    [job] = Job.objects.all()
    assert (answer.status_code, answer.url, job.task) == (302, f"{PATH}{job.pk}/", make_report.name)
    assert given["kind"] == "pdf"


def test_a_range_that_ends_before_it_begins_is_refused_at_its_end(browser: Client) -> None:
    answer = browser.post(PATH, {"kind": "csv", "start": "2026-05-02T00:00", "end": "2026-05-01T00:00"})

    page = answer.content.decode()
    assert answer.status_code == 400
    assert '<p class="error small" id="reports-make_report-end-error">It must be after start' in page


def test_it_links_to_the_file_as_long_as_it_is_there(browser: Client, report_of: MakeReport, make_job: MakeJob) -> None:
    report = report_of()
    result = make_report.backend.encode({"report": report.pk})
    make_job(State.SUCCEEDED, id=report.pk, task=make_report.name, result=result)
    link = f'href="/api/reports/{report.pk}/file/"'

    before = browser.get(f"{PATH}{report.pk}/").content.decode()
    path_of(report).unlink()
    after = browser.get(f"{PATH}{report.pk}/").content.decode()

    assert (link in before, link in after) == (True, False)
    assert "has been deleted" in after


def test_it_offers_staff_no_file_that_they_may_not_have(
    client: Client, staff: Any, report_of: MakeReport, make_job: MakeJob
) -> None:
    report = report_of()
    result = make_report.backend.encode({"report": report.pk})
    make_job(State.SUCCEEDED, id=report.pk, task=make_report.name, result=result)
    client.force_login(staff)

    page = client.get(f"{PATH}{report.pk}/").content.decode()

    assert "for its owner alone" in page
    assert "/file/" not in page
