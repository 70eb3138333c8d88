"""Reports of real jobs, through the volume that web and worker-cpu share; also when the worker is killed at it."""

import csv
import io
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.stack import api, postgres, waiting
from tests.stack.api import Api
from tests.stack.stack import Stack

MANY = 60_000  # some ten seconds of work
_MAKE_MANY = """
INSERT INTO warren_job (id, task, queue, owner_id, state, attempt, worker, arguments, message, traceback, root_id,
                        parent_id, group_id, created_at, started_at, finished_at)
SELECT 'many-' || n, 'some.task', 'cpu', u.id, 'succeeded', 1, '', '[[], {}]', '', '', '', '', '',
       now() - n * interval '1 s', now(), now()
FROM generate_series(1, :'count'::int) AS n, accounts_user AS u WHERE u.email = :'email'
"""
_FORGET_MANY = "DELETE FROM warren_job WHERE id LIKE 'many-%'"


@pytest.fixture
def somebody(stack: Stack) -> Api:
    """Who has no other jobs than those that the test makes."""
    return api.register(stack.web_url)


def _order(client: Api, kind: str) -> str:
    now = datetime.now(UTC)
    body = {"kind": kind, "start": (now - timedelta(days=30)).isoformat(), "end": (now + timedelta(days=1)).isoformat()}
    answer = client.post("/api/reports/", body)
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text
    return str(answer.json()["task_id"])


@pytest.mark.parametrize(("kind", "content_type"), [("csv", "text/csv; charset=utf-8"), ("pdf", "application/pdf")])
def test_a_report_is_made_and_given_to_its_owner_alone(
    stack: Stack, admin: Api, somebody: Api, kind: str, content_type: str
) -> None:
    jobs = [somebody.submit("probe.cpu.echo", args=[f"{number}"]) for number in range(3)]
    for job_id in jobs:
        somebody.wait(job_id)

    told = somebody.result(_order(somebody, kind))["result"]

    file = somebody.get(told["url"])
    assert (file.status_code, file.headers["Content-Type"]) == (httpx.codes.OK, content_type)
    assert len(file.content) == told["bytes"] == int(file.headers["Content-Length"])
    _expect_jobs(file.content, kind=kind, count=told["rows"], among=jobs)
    stranger = api.register(stack.web_url)
    assert stranger.get(told["url"]).status_code == httpx.codes.NOT_FOUND
    assert Api(stack.web_url).get(told["url"]).status_code == httpx.codes.UNAUTHORIZED
    assert admin.get(told["url"]).status_code == httpx.codes.NOT_FOUND


def test_a_worker_that_is_killed_at_it_leaves_one_whole_file(stack: Stack, somebody: Api) -> None:
    waiting.until(lambda: somebody.get("/api/jobs/").json()["results"], within_s=20, what="the welcome mail is a job")
    postgres.ask(stack, _MAKE_MANY, count=str(MANY), email=somebody.email)
    try:
        job_id = _order(somebody, "pdf")
        waiting.until(lambda: _done(somebody, job_id) > 0, within_s=60, what="some of it is written")
        stack.signal("worker-cpu", name="KILL")
        at_the_kill = somebody.job(job_id)["state"]
        stack.up("worker-cpu")

        job = somebody.wait(job_id, within_s=180)
    finally:
        postgres.ask(stack, _FORGET_MANY)

    assert at_the_kill == "running"
    assert (job["state"], job["attempt"]) == ("succeeded", 2)
    content = somebody.get(job["result"]["url"]).content
    assert len(content) == job["result"]["bytes"]
    _expect_jobs(content, kind="pdf", count=job["result"]["rows"], among=[])
    assert job["result"]["rows"] > MANY
    folder = _folder(stack, job_id)
    assert stack.execute("web", "ls", folder).split() == ["jobs.pdf"]


def test_too_long_a_range_is_refused(somebody: Api) -> None:
    answer = somebody.post(
        "/api/reports/", {"kind": "csv", "start": "2024-01-01T00:00:00Z", "end": "2026-01-01T00:00:00Z"}
    )

    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert "366 are taken" in answer.json()["errors"]["end"][0]


def _expect_jobs(content: bytes, *, kind: str, count: int, among: list[str]) -> None:
    if kind == "csv":
        ids = [row["id"] for row in csv.DictReader(io.StringIO(content.decode()))]
        assert len(ids) == count
        assert set(among) <= set(ids)
    else:
        assert content.startswith(b"%PDF-")
        assert content.rstrip().endswith(b"%%EOF")
        assert count >= len(among)


def _done(client: Api, job_id: str) -> int:
    progress = client.job(job_id)["progress"]
    return int(progress["meta"]["done"]) if progress else 0


def _folder(stack: Stack, job_id: str) -> str:
    ((name,),) = postgres.ask(stack, "SELECT file FROM reports_report WHERE id = :'id'", id=job_id)
    return f"/var/lib/warren/media/{name.rpartition('/')[0]}"
