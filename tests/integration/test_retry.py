"""Jobs run again by hand, by API and by command line; also in chains and chords."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.stack import django_code
from tests.stack.api import Api
from tests.stack.stack import CommandFailedError, Stack

NEEDS = "probe.cpu.needs"


@pytest.fixture
def name() -> str:
    """What the probe's tasks need, and has not been made."""
    return f"need-{uuid4().hex}"


def _mend(stack: Stack, name: str) -> None:
    django_code.run(stack, f"from django.contrib.auth.models import Group\nGroup.objects.create(name={name!r})")


def _call(stack: Stack, function: str, name: str) -> dict[str, str]:
    return dict(django_code.run(stack, f"from apps.probe import by_code\nanswer = by_code.{function}({name!r})"))


def _jobs(stack: Stack, *arguments: str) -> Any:
    return json.loads(stack.execute("web", "python", "manage.py", "jobs", *arguments, "--json"))


def test_a_failed_job_succeeds_when_it_is_retried_by_api(stack: Stack, member: Api, name: str) -> None:
    failed = member.wait(member.submit(NEEDS, kwargs={"message": name}))
    assert (failed["state"], failed["attempt"]) == ("failed", 1)
    _mend(stack, name)

    answer = member.post(failed["links"]["retry"], {"reason": "it is there now"})

    assert answer.status_code == httpx.codes.OK, answer.text
    job = member.wait(failed["id"])
    assert (job["state"], job["attempt"], job["result"]) == ("succeeded", 2, 1)
    (event,) = job["history"]
    assert (event["kind"], event["by"], event["reason"]) == ("retried", member.email, "it is there now")
    assert event["error"]["message"] == f"there is no {name}"
    again = member.post(failed["links"]["retry"])
    assert (again.status_code, "succeeded" in again.json()["detail"]) == (httpx.codes.CONFLICT, True)


def test_failed_jobs_of_a_filter_are_retried_together(stack: Stack, member: Api, name: str) -> None:
    ids = [member.submit(NEEDS, kwargs={"message": name}) for _ in range(5)]
    for job_id in ids:
        member.wait(job_id)
    _mend(stack, name)

    answer = member.post("/api/jobs/retry/", {"filter": {"search": name}}).json()

    assert (answer["retried"], set(answer["ids"]), answer["refused"]) == (5, set(ids), [])
    assert {member.wait(job_id)["state"] for job_id in ids} == {"succeeded"}


def test_the_command_line_retries_shows_and_lists(stack: Stack, member: Api, name: str) -> None:
    job_id = member.submit(NEEDS, kwargs={"message": name})
    member.wait(job_id)
    assert [job["id"] for job in _jobs(stack, "list", "--state", "failed", "--search", name)] == [job_id]
    _mend(stack, name)

    done = _jobs(stack, "retry", job_id, "--by", "ann", "--reason", "mended")

    assert done == {"retried": 1, "ids": [job_id], "refused": []}
    assert member.wait(job_id)["state"] == "succeeded"
    shown = _jobs(stack, "show", job_id)
    event = shown["history"][0]
    assert (shown["attempt"], event["by"], event["reason"]) == (2, "command line (ann)", "mended")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["retry", "nobody"], 1, "There is no such job."),
        (["retry", "--state", "happy"], 2, "invalid choice: 'happy'"),
        (["list", "--since", "yesterday"], 2, "'yesterday' is neither"),
        (["cancel"], 2, "Name jobs by their ids"),
    ],
    ids=str,
)
def test_the_command_line_says_what_is_wrong(stack: Stack, arguments: list[str], code: int, said: str) -> None:
    with pytest.raises(CommandFailedError) as raised:
        stack.execute("web", "python", "manage.py", "jobs", *arguments)

    assert f"exit code {code}\n" in str(raised.value)
    assert said in str(raised.value)


@pytest.mark.parametrize(("function", "result"), [("chain_that_needs", 111), ("chord_that_needs", 2 + 1 + 4)])
def test_what_waits_for_a_job_goes_on_when_it_is_retried(
    stack: Stack, admin: Api, name: str, function: str, result: int
) -> None:
    ids = _call(stack, function, name)
    assert admin.wait(ids["needy"])["state"] == "failed"
    assert admin.result(ids["last"])["state"] == "FAILURE"

    admin.post(f"/api/jobs/{ids['needy']}/retry/")
    admin.wait(ids["needy"], states=("failed",))
    assert admin.result(ids["last"])["state"] == "FAILURE"
    _mend(stack, name)
    answer = admin.post(f"/api/jobs/{ids['needy']}/retry/")

    assert answer.status_code == httpx.codes.OK, answer.text
    assert admin.wait(ids["needy"])["state"] == "succeeded"
    last = admin.wait(ids["last"])
    assert (last["state"], last["result"], last["attempt"]) == ("succeeded", result, 1)
