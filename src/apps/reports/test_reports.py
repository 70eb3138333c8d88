"""Reports by HTTP."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from apps.reports import making, scope
from apps.reports.conftest import MakeReport, make_job, path_of
from apps.reports.downloads import Download
from apps.reports.models import Report
from apps.reports.tasks import make_report
from warren.delivery.models import Job

pytestmark = pytest.mark.django_db

ORDER = {"kind": "pdf", "start": "2026-05-01T00:00:00Z", "end": "2026-05-08T00:00:00Z"}


def test_it_accepts_an_order_and_leads_to_the_result(api: APIClient, user: Any) -> None:
    answer = api.post("/api/reports/", ORDER)

    assert answer.status_code == 202
    job = Job.objects.get(pk=answer.json()["task_id"])
    assert (job.task, job.queue, job.owner) == (make_report.name, "cpu", user)
    assert job.kwargs.keys() == {"kind", "start", "end"}
    assert api.get(answer.headers["Location"]).json()["state"] == "PENDING"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "xls"}, "kind"),
        ({"kind": None}, "kind"),
        ({"start": "yesterday"}, "start"),
        ({"start": "2026-05-08T00:00:00Z"}, "end"),
        ({"start": "2026-06-01T00:00:00Z"}, "end"),
        ({"start": "2025-05-01T00:00:00Z"}, "end"),
    ],
)
def test_it_refuses_what_is_no_range_and_names_the_field(api: APIClient, change: dict[str, Any], field: str) -> None:
    answer = api.post("/api/reports/", {**ORDER, **change})

    assert answer.status_code == 400
    assert field in answer.json()["errors"]
    assert not Job.objects.exists()


def test_it_refuses_too_many_jobs_before_it_accepts(api: APIClient, user: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scope, "MOST_ROWS", 1)
    for number in range(2):
        make_job(user, job_id=f"{number}", at=timezone.now() - timedelta(hours=1))
    range_ = {"start": (timezone.now() - timedelta(days=1)).isoformat(), "end": timezone.now().isoformat()}

    answer = api.post("/api/reports/", {"kind": "csv", **range_})

    assert answer.status_code == 400
    assert "more than 1 jobs" in answer.json()["errors"]["end"][0]


def test_it_refuses_an_order_when_too_many_are_kept(
    api: APIClient, report_of: MakeReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "MOST_KEPT", 1)
    report_of()

    assert api.post("/api/reports/", ORDER).status_code == 422
    assert api.delete("/api/reports/the-report/").status_code == 204
    assert api.post("/api/reports/", ORDER).status_code == 202


def test_it_takes_the_same_order_with_the_same_key_once(api: APIClient) -> None:
    def order(**change: Any) -> Any:
        return api.post("/api/reports/", {**ORDER, **change}, headers={"Idempotency-Key": "report 1"})

    first, second, other = order(), order(), order(kind="csv")

    assert (first.status_code, second.status_code, other.status_code) == (202, 202, 409)
    assert first.json() == second.json()
    assert Job.objects.count() == 1


def test_the_task_is_callable_like_any_other(api: APIClient) -> None:
    told = {each["name"]: each for each in api.get("/api/tasks/").json()}
    answer = api.post("/api/jobs/", {"task": "reports.make_report", "kwargs": ORDER})

    assert [each["name"] for each in told["reports.make_report"]["arguments"]] == ["kind", "start", "end"]
    assert answer.status_code == 202


@pytest.mark.usefixtures("jobs")
@pytest.mark.parametrize(("kind", "type_"), [("csv", "text/csv; charset=utf-8"), ("pdf", "application/pdf")])
def test_it_gives_out_the_file(api: APIClient, report_of: MakeReport, kind: str, type_: str) -> None:
    report = report_of(kind)

    told = api.get("/api/reports/the-report/").json()
    answer: Any = api.get(told["url"])

    assert (told["rows"], told["bytes"]) == (3, report.bytes)
    assert answer.getvalue() == path_of(report).read_bytes()
    assert answer.headers["Content-Type"] == type_
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Content-Length"] == str(report.bytes)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="jobs-2026-05-01-2026-05-08.{kind}"'


def test_it_streams_under_asgi_a_block_at_a_time(report_of: MakeReport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Download, "block_size", 10)
    report = report_of()

    async def read() -> list[bytes]:
        with path_of(report).open("rb") as file:
            return [block async for block in Download(file)]

    blocks = asyncio.run(read())

    assert b"".join(blocks) == path_of(report).read_bytes()
    assert {len(block) for block in blocks[:-1]} == {10}


def test_reports_are_for_their_owner_alone(
    api: APIClient, report_of: MakeReport, stranger_api: APIClient, staff_api: APIClient, anybody: APIClient
) -> None:
    path = path_of(report_of())

    for address in ("/api/reports/the-report/", "/api/reports/the-report/file/"):
        statuses = [_status(client, address) for client in (api, stranger_api, staff_api, anybody)]
        assert statuses == [200, 404, 404, 401], address
    for client in (stranger_api, staff_api):
        assert client.delete("/api/reports/the-report/").status_code == 404
        assert client.get("/api/reports/").json()["results"] == []
    assert (path.exists(), Report.objects.exists()) == (True, True)


def test_it_lists_ones_own_newest_first(api: APIClient, report_of: MakeReport, stranger: Any) -> None:
    for job_id in ("one", "two"):
        report_of(job_id=job_id)
    report_of(job_id="other", owner=stranger)

    assert [each["id"] for each in api.get("/api/reports/").json()["results"]] == ["two", "one"]


def test_it_shows_no_link_to_a_file_that_is_lost(api: APIClient, report_of: MakeReport) -> None:
    path_of(report_of()).unlink()

    assert api.get("/api/reports/the-report/").json()["url"] is None
    assert api.get("/api/reports/the-report/file/").status_code == 404


def test_it_deletes_row_and_file(api: APIClient, report_of: MakeReport) -> None:
    path = path_of(report_of())

    assert api.delete("/api/reports/the-report/").status_code == 204
    assert (path.exists(), Report.objects.exists()) == (False, False)


@pytest.mark.parametrize("report_id", ["nothing", "%00", "x" * 300])
def test_it_knows_nothing_else(api: APIClient, report_id: str) -> None:
    for path in (f"/api/reports/{report_id}/", f"/api/reports/{report_id}/file/"):
        assert api.get(path).status_code == 404


def test_an_id_with_a_space_is_found(api: APIClient, report_of: MakeReport) -> None:
    report_of(job_id="plain id")

    assert _status(api, reverse("reports-file", args=["plain id"])) == 200


def _status(client: APIClient, path: str) -> int:
    answer: Any = client.get(path)
    if answer.streaming:
        answer.getvalue()  # to its end, so that its file is closed
    return int(answer.status_code)
