"""Jobs submitted many at once, once though asked twice, and not at all while too many wait."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.stack import waiting
from tests.stack.api import Api
from tests.stack.stack import Stack

NOOP = "probe.cpu.noop"
ECHO = "probe.cpu.echo"
LIMIT = 5
LATER = {"task": NOOP, "countdown": 3600}


def _batch(client: Api, *jobs: dict[str, Any], **headers: str) -> httpx.Response:
    return client.post("/api/jobs/batch/", {"jobs": list(jobs)}, headers=headers)


def test_a_batch_of_a_thousand_succeeds(member: Api) -> None:
    answer = _batch(member, *({"task": ECHO, "args": [str(number)]} for number in range(1000)))

    assert answer.status_code == httpx.codes.ACCEPTED, answer.text
    ids = [job["id"] for job in answer.json()["jobs"]]
    for job_id in reversed(ids):
        assert member.wait(job_id, within_s=120)["state"] == "succeeded"
    assert [member.job(job_id)["result"] for job_id in (ids[0], ids[499], ids[999])] == ["0", "499", "999"]


def test_a_batch_with_one_wrong_job_is_refused_whole(member: Api) -> None:
    word = uuid4().hex

    answer = _batch(member, {"task": ECHO, "args": [word]}, {"task": ECHO, "kwargs": {"massage": word}})

    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert next(iter(answer.json()["errors"])) == "jobs.1.kwargs.massage"
    assert member.get("/api/jobs/", params={"search": word}).json()["results"] == []


def test_a_request_sent_again_at_the_same_time_or_later_is_one_job(member: Api) -> None:
    key = {"Idempotency-Key": f"order {uuid4()}"}

    def submit(_: object) -> httpx.Response:
        return member.post("/api/jobs/", {"task": ECHO, "args": ["once"]}, headers=key)

    with ThreadPoolExecutor(max_workers=8) as pool:
        answers = list(pool.map(submit, range(16)))
    job_id = answers[0].json()["id"]
    assert member.wait(job_id)["attempt"] == 1
    answers.append(submit(None))
    other = member.post("/api/jobs/", {"task": ECHO, "args": ["twice"]}, headers=key)

    assert {answer.status_code for answer in answers} == {httpx.codes.ACCEPTED}
    assert {answer.json()["id"] for answer in answers} == {job_id}
    assert len([answer for answer in answers if "Idempotency-Replayed" not in answer.headers]) == 1
    assert answers[-1].json()["state"] == "succeeded"
    assert other.status_code == httpx.codes.CONFLICT
    assert job_id in other.json()["detail"]


@pytest.fixture
def small_limit(stack: Stack) -> Iterator[None]:
    """web with room for a few waiting jobs."""
    stack.change({"MAX_WAITING_JOBS": str(LIMIT)})
    stack.up("web")
    yield
    stack.change({})
    stack.up("web")


@pytest.mark.usefixtures("small_limit")
def test_new_jobs_are_refused_while_too_many_wait_and_taken_when_there_is_room(member: Api) -> None:
    ids = [job["id"] for job in _batch(member, *[LATER] * LIMIT).json()["jobs"]]

    def refused() -> httpx.Response | None:
        answer = member.post("/api/jobs/", LATER)
        return answer if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE else None

    def accepted() -> httpx.Response | None:
        answer = member.post("/api/jobs/", {"task": NOOP})
        return answer if answer.status_code == httpx.codes.ACCEPTED else None

    answer = waiting.until(refused, within_s=10, what="a full queue refuses")
    assert int(answer.headers["Retry-After"]) > 0
    assert f"'cpu' has no room for 1 more: {LIMIT} jobs wait, and the limit is {LIMIT}" in answer.json()["detail"]
    assert _batch(member, *[LATER] * 2).status_code == httpx.codes.SERVICE_UNAVAILABLE
    for job in member.get("/api/jobs/", params={"state": "accepted", "page_size": 100}).json()["results"]:
        member.post(f"/api/jobs/{job['id']}/cancel/")
    done = waiting.until(accepted, within_s=30, what="there is room again")
    assert member.wait(done.json()["id"])["state"] == "succeeded"
    assert {member.job(job_id)["state"] for job_id in ids} == {"cancelled"}
