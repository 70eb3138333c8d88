"""An app that `make app` made is found: its address, and its task by name."""

import httpx

from tests.stack.api import Api


def test_an_app_of_ones_own_is_reached_at_its_address(member: Api) -> None:
    accepted = member.post("/api/billing/", {"num1": 2, "num2": 3})

    assert accepted.status_code == httpx.codes.ACCEPTED, accepted.text
    assert member.result(accepted.json()["task_id"])["result"] == 5


def test_the_task_of_an_app_of_ones_own_is_called_by_its_name(member: Api) -> None:
    listed = {task["name"] for task in member.get("/api/tasks/").json()}

    job = member.wait(member.submit("billing.add", kwargs={"num1": 20, "num2": 22}))

    assert "billing.add" in listed
    assert (job["task"], job["state"], job["result"], job["queue"]) == ("billing.add", "succeeded", 42, "cpu")
