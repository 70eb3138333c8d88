"""Jobs by HTTP: submitted, listed, looked at, cancelled; and what the API refuses."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.stack import api
from tests.stack.api import Api
from tests.stack.stack import Stack

NOOP = "probe.cpu.noop"
ECHO = "probe.cpu.echo"
MEGABYTE = 1_048_576


@pytest.fixture
def stranger(stack: Stack) -> Api:
    """Another user, without jobs but the welcome mail's."""
    return api.register(stack.web_url)


def test_a_job_is_accepted_and_its_links_lead_on(member: Api) -> None:
    accepted = member.post("/api/jobs/", {"task": ECHO, "args": ["hello"]})

    assert accepted.status_code == httpx.codes.ACCEPTED
    body = accepted.json()
    assert body["state"] == "accepted"
    job = member.wait(body["id"])
    assert (job["state"], job["celery_state"], job["result"]) == ("succeeded", "SUCCESS", "hello")
    assert (job["task"], job["queue"], job["attempt"]) == (ECHO, "cpu", 1)
    assert job["created_at"] <= job["started_at"] <= job["finished_at"]
    assert member.get(body["links"]["self"]).json() == job
    assert member.get(body["links"]["result"]).json()["result"] == "hello"
    assert member.get(accepted.headers["Location"]).json() == job


@pytest.mark.parametrize("task", ["probe.cpu.echo", "probe.io.echo"])
def test_each_queue_has_its_own_worker(member: Api, task: str) -> None:
    job = member.wait(member.submit(task, kwargs={"message": "ü€😀"}))

    queue = task.split(".")[1]
    assert (job["queue"], job["worker"].split("@")[0]) == (queue, f"worker-{queue}")
    assert job["result"] == "ü€😀"


def test_a_failed_job_says_why(member: Api) -> None:
    job = member.wait(member.submit("probe.io.fail", kwargs={"message": "no luck"}))

    assert (job["state"], job["result"]) == ("failed", None)
    assert (job["error"]["type"], job["error"]["message"]) == ("ValueError", "no luck")
    assert "ValueError: no luck" in job["error"]["traceback"]


def test_the_list_is_filtered_searched_and_paged(stranger: Api) -> None:
    word = uuid4().hex
    mine = [stranger.submit(ECHO, kwargs={"message": f"{word} {number}"}) for number in range(5)]
    failing = stranger.submit("probe.cpu.fail", kwargs={"message": word})
    for job_id in [*mine, failing]:
        stranger.wait(job_id)

    assert _ids(stranger, search=word) == [failing, *reversed(mine)]
    assert _ids(stranger, search=word, state="failed") == [failing]
    assert _ids(stranger, task=ECHO) == [*reversed(mine)]
    assert _ids(stranger, queue="io", search=word) == []
    first = stranger.get("/api/jobs/", params={"search": word, "page_size": 4}).json()
    second = stranger.get(first["next"]).json()
    assert [job["id"] for page in (first, second) for job in page["results"]] == [failing, *reversed(mine)]
    assert second["next"] is None


@pytest.mark.parametrize("query", [{"state": "happy"}, {"created_after": "yesterday"}])
def test_a_filter_that_makes_no_sense_is_refused(member: Api, query: dict[str, str]) -> None:
    answer = member.get("/api/jobs/", params=query)

    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert answer.json()["errors"].keys() == query.keys()


def test_users_see_their_own_jobs_and_staff_see_all(member: Api, stranger: Api, admin: Api) -> None:
    job_id = member.submit(NOOP)
    member.wait(job_id)

    hidden = [stranger.get(f"/api/jobs/{job_id}/"), stranger.get(f"/api/task-result/{job_id}/")]
    refused = stranger.post(f"/api/jobs/{job_id}/cancel/")

    assert [answer.status_code for answer in [*hidden, refused]] == [httpx.codes.NOT_FOUND] * 3
    assert _ids(stranger, search=job_id) == []
    assert _ids(admin, search=job_id) == [job_id]
    assert admin.job(job_id)["id"] == job_id


@pytest.mark.parametrize("path", ["/api/jobs/{}/", "/api/task-result/{}/"])
@pytest.mark.parametrize("job_id", ["00000000-0000-4000-8000-000000000000", "no-uuid", "%00", "a" * 300])
def test_an_unknown_id_is_not_found(member: Api, path: str, job_id: str) -> None:
    answer = member.get(path.format(job_id))

    assert answer.status_code == httpx.codes.NOT_FOUND
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("submission", "status", "field"),
    [
        ({}, 400, "task"),
        ({"task": 5}, 400, "task"),
        ({"task": "os.system"}, 422, "task"),
        ({"task": "celery.backend_cleanup"}, 422, "task"),
        ({"task": "accounts.send_welcome_mail"}, 422, "task"),
        ({"task": NOOP, "args": [1]}, 400, "args"),
        ({"task": NOOP, "args": "no list"}, 400, "args"),
        ({"task": NOOP, "surprise": 1}, 400, "surprise"),
        ({"task": ECHO}, 400, "arguments.message"),
        ({"task": ECHO, "kwargs": {"message": 5}}, 400, "arguments.message"),
        ({"task": ECHO, "kwargs": {"massage": "x"}}, 400, "kwargs.massage"),
        ({"task": NOOP, "countdown": -1}, 400, "countdown"),
        ({"task": NOOP, "countdown": "soon"}, 400, "countdown"),
        ({"task": NOOP, "countdown": 1e12}, 400, "countdown"),
        ({"task": NOOP, "countdown": True}, 400, "countdown"),
        ({"task": NOOP, "countdown": 5, "eta": "2999-01-01T00:00:00Z"}, 400, "eta"),
        ({"task": NOOP, "eta": "2001-01-01T00:00:00Z"}, 422, "eta"),
        ({"task": NOOP, "eta": "2999-01-01T00:00:00"}, 422, "eta"),
        ({"task": NOOP, "eta": "tomorrow"}, 400, "eta"),
        ({"task": NOOP, "expires": "2001-01-01T00:00:00Z"}, 422, "expires"),
        ({"task": NOOP, "expires": 5, "countdown": 10}, 422, "expires"),
        ({"task": NOOP, "expires": 0}, 400, "expires"),
        ({"task": NOOP, "priority": 10}, 400, "priority"),
        ({"task": NOOP, "priority": "high"}, 400, "priority"),
    ],
    ids=str,
)
def test_a_submission_is_refused_with_the_field_named(
    member: Api, submission: dict[str, Any], status: int, field: str
) -> None:
    answer = member.post("/api/jobs/", submission)

    assert answer.status_code == status, answer.text
    assert field in answer.json()["errors"], answer.text


def test_a_wrong_name_is_answered_with_those_that_are_known(member: Api) -> None:
    answer = member.post("/api/jobs/", {"task": "probe.cpu.nop"})

    assert NOOP in " ".join(answer.json()["errors"]["task"])


def test_a_wrong_argument_is_answered_with_those_that_are_taken(member: Api) -> None:
    answer = member.post("/api/jobs/", {"task": "probe.cpu.sleep", "args": ["long"]})

    assert "seconds" in " ".join(answer.json()["errors"]["accepts"])


@pytest.mark.parametrize(
    "body", [b"{", b"", b"\xff\xfe", b"[1, 2]", b"null", b'"text"', b'{"task": NaN}', b"[" * 100_000]
)
def test_what_is_no_json_object_is_a_bad_request(member: Api, body: bytes) -> None:
    answer = member.request("POST", "/api/jobs/", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == httpx.codes.BAD_REQUEST, answer.text
    assert answer.json()["detail"]


def test_a_body_that_is_no_json_by_its_type_is_refused(member: Api) -> None:
    answer = member.request("POST", "/api/jobs/", data={"task": NOOP})

    assert answer.status_code == httpx.codes.UNSUPPORTED_MEDIA_TYPE


def test_a_huge_body_is_refused(member: Api) -> None:
    body = b'{"task": "' + b"x" * 2 * MEGABYTE + b'"}'

    answer = member.request("POST", "/api/jobs/", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
    assert str(MEGABYTE) in answer.json()["detail"]


def test_a_body_of_unknown_length_is_refused(member: Api) -> None:
    body = iter([b'{"task": ', b'"probe.cpu.noop"}'])

    answer = member.request("POST", "/api/jobs/", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == httpx.codes.LENGTH_REQUIRED
    assert answer.json()["detail"]


@pytest.mark.parametrize("task", ["probe.cpu.sleep", "probe.io.sleep"])
def test_a_waiting_job_is_cancelled_and_never_runs(member: Api, task: str) -> None:
    job_id = member.submit(task, kwargs={"seconds": 0}, countdown=2)

    cancelled = member.post(f"/api/jobs/{job_id}/cancel/")
    again = member.post(f"/api/jobs/{job_id}/cancel/")

    assert (cancelled.status_code, cancelled.json()["state"]) == (httpx.codes.OK, "cancelled")
    assert again.status_code == httpx.codes.CONFLICT
    after_it = member.submit(task, kwargs={"seconds": 0}, countdown=3)
    member.wait(after_it)
    job = member.job(job_id)
    assert (job["state"], job["celery_state"], job["attempt"]) == ("cancelled", "REVOKED", 0)


@pytest.mark.parametrize("task", ["probe.cpu.sleep", "probe.io.sleep"])
def test_a_running_job_is_cancelled_and_its_worker_goes_on(member: Api, task: str) -> None:
    job_id = member.submit(task, kwargs={"seconds": 60})
    member.wait(job_id, states=("running",))

    cancelled = member.post(f"/api/jobs/{job_id}/cancel/")

    assert cancelled.json()["state"] == "cancelled"
    assert member.wait(member.submit(task, kwargs={"seconds": 0}))["state"] == "succeeded"
    assert member.job(job_id)["state"] == "cancelled"


def test_a_finished_job_cannot_be_cancelled(member: Api) -> None:
    job_id = member.submit(NOOP)
    member.wait(job_id)

    assert member.post(f"/api/jobs/{job_id}/cancel/").status_code == httpx.codes.CONFLICT
    assert member.job(job_id)["state"] == "succeeded"


def test_countdown_and_eta_delay_the_start(member: Api) -> None:
    at = datetime.now(UTC) + timedelta(seconds=3)
    by_countdown = member.submit(NOOP, countdown=2.5)
    by_eta = member.submit("probe.io.noop", eta=at.isoformat())
    accepted = [member.job(job_id) for job_id in (by_countdown, by_eta)]

    jobs = [member.wait(job_id) for job_id in (by_countdown, by_eta)]

    assert [job["state"] for job in accepted] == ["accepted", "accepted"]
    late = [_moment(job["started_at"]) - _moment(job["available_at"]) for job in jobs]
    assert all(timedelta(0) <= each < timedelta(seconds=2) for each in late), late
    assert _moment(jobs[1]["available_at"]) == at
    assert _moment(jobs[0]["available_at"]) - _moment(jobs[0]["created_at"]) > timedelta(seconds=2)


def test_many_delayed_jobs_hold_nobody_up(member: Api) -> None:
    delayed = [member.submit("probe.cpu.sleep", kwargs={"seconds": 0}, countdown=3600) for _ in range(30)]

    started = time.monotonic()
    member.wait(member.submit(NOOP), within_s=5)

    assert time.monotonic() - started < 5
    assert {member.job(job_id)["state"] for job_id in delayed} == {"accepted"}
    for job_id in delayed:
        assert member.post(f"/api/jobs/{job_id}/cancel/").status_code == httpx.codes.OK


def _ids(client: Api, **query: str) -> list[str]:
    return [job["id"] for job in client.get("/api/jobs/", params=query).json()["results"]]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
