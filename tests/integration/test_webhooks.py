"""Receivers are called when jobs have ended: signed, again when they were down, and whoever dies in it."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.integration import receiver
from tests.stack import postgres, waiting
from tests.stack.api import Api
from tests.stack.stack import ROOT, Stack

ASK = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())"
HANGS_S = 15
# nobody wants to wait for the back-off
HURRY = """
UPDATE warren_job SET available_at = now() WHERE task = 'webhooks.deliver' AND finished_at IS NULL;
UPDATE warren_outbox SET available_at = now()
WHERE job_id IN (SELECT id FROM warren_job WHERE task = 'webhooks.deliver');
NOTIFY warren_outbox;
"""


@pytest.fixture
def name() -> str:
    """Of a receiver of this test's own."""
    return uuid4().hex


def _url(name: str, query: str = "") -> str:
    return f"http://receiver:{receiver.PORT}/hook/{name}{query}"


def _received(stack: Stack, name: str) -> list[dict[str, Any]]:
    address = f"http://127.0.0.1:{receiver.PORT}/received/{name}"
    return list(json.loads(stack.execute("receiver", "python", "-c", ASK, address)))


def _wait_for_calls(stack: Stack, name: str, *, count: int = 1, within_s: float = 30) -> list[dict[str, Any]]:
    def look() -> list[dict[str, Any]] | None:
        calls = _received(stack, name)
        return calls if len(calls) >= count else None

    return waiting.until(look, within_s=within_s, what=f"the receiver has {count} calls of {name}")


def _delivery(api: Api, job_id: str, *, status: str, within_s: float = 30) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = api.get(f"/api/jobs/{job_id}/webhooks/").json()["deliveries"]
        return found[0] if found and found[0]["status"] == status else None

    return waiting.until(look, within_s=within_s, what=f"the call of {job_id} is {status}")


def _is_genuine(call: dict[str, Any], *, secrets: list[str]) -> bool:
    """By the code that the docs give to receivers."""
    page = Path(ROOT / "docs/how-to/webhooks.md").read_text()
    blocks = [block.partition("```")[0] for block in page.split("```python\n")[1:]]
    code: dict[str, Any] = {}
    exec(next(block for block in blocks if "def is_genuine" in block), code)  # noqa: S102  our own docs
    return bool(code["is_genuine"](call["headers"]["Warren-Signature"], call["body"].encode(), secrets))


@pytest.mark.parametrize(
    ("task", "kwargs", "state"),
    [
        ("probe.cpu.echo", {"message": "hello"}, "succeeded"),
        ("probe.io.echo", {"message": "hello"}, "succeeded"),
        ("probe.cpu.fail", {"message": "no luck"}, "failed"),
        ("probe.cpu.die", {}, "dead"),
    ],
)
def test_the_end_of_a_job_is_told_and_the_call_is_genuine(
    stack: Stack, member: Api, name: str, *, task: str, kwargs: dict[str, Any], state: str
) -> None:
    secret = member.get("/api/webhooks/secret/").json()["current"]
    job_id = member.submit(task, kwargs=kwargs, callback_url=_url(name, "?token=secret-word"))
    member.wait(job_id, within_s=120)

    [call] = _wait_for_calls(stack, name)

    told = json.loads(call["body"])
    assert (told["type"], told["job"]["id"], told["job"]["state"]) == (f"job.{state}", job_id, state)
    assert _is_genuine(call, secrets=[secret])
    assert not _is_genuine(call, secrets=["whsec_another"])
    assert not _is_genuine({**call, "body": call["body"].replace(job_id, "another")}, secrets=[secret])
    delivery = _delivery(member, job_id, status="delivered")
    assert [each["status"] for each in delivery["attempts"]] == [httpx.codes.OK]
    assert delivery["id"] == told["id"] == call["headers"]["Warren-Delivery"]
    assert "secret-word" not in stack.logs("worker-io")


@pytest.mark.parametrize("ends", ["cancelled", "expired"])
def test_a_job_that_ends_before_it_runs_is_told_of(stack: Stack, member: Api, name: str, ends: str) -> None:
    options = {"countdown": 600} if ends == "cancelled" else {"countdown": 1, "expires": 1.001}
    job_id = member.submit("probe.cpu.noop", callback_url=_url(name), **options)
    if ends == "cancelled":
        member.post(f"/api/jobs/{job_id}/cancel/")

    [call] = _wait_for_calls(stack, name, within_s=60)

    assert json.loads(call["body"])["type"] == f"job.{member.job(job_id)['state']}"
    assert member.job(job_id)["state"] == ends


def test_a_batch_is_told_of_job_by_job(stack: Stack, member: Api, name: str) -> None:
    jobs = [{"task": "probe.cpu.noop", "callback_url": _url(name)} for _ in range(50)]
    answer = member.post("/api/jobs/batch/", {"jobs": jobs})
    ids = {each["id"] for each in answer.json()["jobs"]}

    calls = _wait_for_calls(stack, name, count=50, within_s=60)

    assert sorted(json.loads(each["body"])["job"]["id"] for each in calls) == sorted(ids)


def test_a_receiver_that_was_down_is_called_again(stack: Stack, member: Api, name: str) -> None:
    job_id = member.submit("probe.io.noop", callback_url=_url(name, "?fail=2"))
    for attempts in (1, 2):
        _wait_for_calls(stack, name, count=attempts)
        delivery = _delivery(member, job_id, status="waiting")
        assert len(delivery["attempts"]) == attempts
        waiting.until(
            lambda: _delivery(member, job_id, status="waiting")["next_attempt_at"], within_s=20, what="it waits"
        )
        postgres.ask(stack, HURRY)

    calls = _wait_for_calls(stack, name, count=3)

    delivery = _delivery(member, job_id, status="delivered")
    assert [each["status"] for each in delivery["attempts"]] == [500, 500, 200]
    assert len({each["body"] for each in calls}) == 1
    assert [each["headers"]["Warren-Attempt"] for each in calls] == ["1", "2", "3"]


def test_a_call_outlives_the_worker_that_made_it(stack: Stack, member: Api, name: str) -> None:
    job_id = member.submit("probe.cpu.noop", callback_url=_url(name, f"?hang={HANGS_S}"))
    _wait_for_calls(stack, name)

    stack.signal("worker-io", name="KILL")
    stack.up("worker-io")

    calls = _wait_for_calls(stack, name, count=2, within_s=120)
    delivery = _delivery(member, job_id, status="delivered")
    assert len({(each["body"], each["headers"]["Warren-Delivery"]) for each in calls}) == 1
    assert [each["status"] for each in delivery["attempts"]] == [None, httpx.codes.OK]


def test_a_name_that_leads_inside_is_not_called(member: Api) -> None:
    job_id = member.submit("probe.cpu.noop", callback_url="https://web:8443/hook?token=secret-word")

    def tried() -> dict[str, Any] | None:
        found = _delivery(member, job_id, status="waiting")
        return found if found["next_attempt_at"] else None

    delivery = waiting.until(tried, within_s=30, what="it is tried")

    [attempt] = delivery["attempts"]
    assert attempt["reason"] == "'web' leads to no public address"
    assert "secret-word" not in json.dumps(delivery)


@pytest.mark.parametrize("url", ["https://10.0.0.1/", "http://example.org/", "https://ann:secret-word@example.org/"])
def test_a_bad_address_is_refused(member: Api, url: str) -> None:
    answer = member.post("/api/jobs/", {"task": "probe.cpu.noop", "callback_url": url})

    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert "callback_url" in answer.json()["errors"]
    assert "secret-word" not in answer.text


def test_a_call_is_made_once_more_and_who_asked_is_recorded(stack: Stack, member: Api, admin: Api, name: str) -> None:
    job_id = member.submit("probe.cpu.noop", callback_url=_url(name))
    delivery = _delivery(member, job_id, status="delivered")

    answer = admin.post(f"/api/jobs/{job_id}/webhooks/{delivery['id']}/redeliver/")

    assert answer.status_code == httpx.codes.ACCEPTED
    calls = _wait_for_calls(stack, name, count=2)
    assert len({each["headers"]["Warren-Delivery"] for each in calls}) == 1
    shown = admin.get(f"/api/jobs/{job_id}/webhooks/").json()["deliveries"][0]
    assert [each["by"] for each in shown["redeliveries"]] == [admin.email]
