"""The guide's work by HTTP: register, get a token, add numbers, ask for the result."""

from email import message_from_string
from email.message import Message
from uuid import uuid4

import httpx
import pytest

from tests.stack import postgres, waiting
from tests.stack.api import PASSWORD, Api
from tests.stack.stack import Stack

_MAIL_JOB = """
SELECT job.queue, split_part(job.worker, '@', 1) FROM warren_job job JOIN accounts_user u ON u.id = job.owner_id
WHERE u.email = :'email' AND job.task = 'accounts.send_welcome_mail' AND job.state = 'succeeded'
"""


def test_it_registers_at_once_and_the_welcome_mail_arrives_by_smtp(stack: Stack) -> None:
    email = f"{uuid4().hex[:12]}@example.org"
    new = {"email": email, "password": PASSWORD, "first_name": "Grace", "birthday": "1906-12-09"}

    answer = Api(stack.web_url).post("/api/register/", new)

    assert answer.status_code == httpx.codes.CREATED
    assert answer.json()["email"] == email
    assert "password" not in answer.json()
    mail = waiting.until(lambda: _mail_to(stack, email), within_s=20, what=f"a mail to {email} is caught")
    assert mail["Subject"] == "Welcome to Warren"
    assert mail["From"] == stack.values["DEFAULT_FROM_EMAIL"]
    assert email in mail.as_string()


def test_the_welcome_mail_is_sent_by_the_io_worker(stack: Stack, member: Api) -> None:
    def look() -> list[list[str]]:
        return postgres.ask(stack, _MAIL_JOB, email=member.email)

    assert waiting.until(look, within_s=20, what="the mail job has succeeded") == [["io", "worker-io"]]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "no address"}, "email"),
        ({"email": None}, "email"),
        ({"password": "12345678"}, "password"),
        ({"password": "short"}, "password"),
        ({"birthday": "tomorrow"}, "birthday"),
        ({"birthday": "2999-01-01"}, "birthday"),
    ],
)
def test_it_refuses_a_registration_and_names_the_field(stack: Stack, change: dict[str, str], field: str) -> None:
    wanted = {"email": f"{uuid4().hex[:12]}@example.org", "password": PASSWORD, **change}

    answer = Api(stack.web_url).post("/api/register/", wanted)

    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert field in answer.json()["errors"]


def test_an_address_registers_once(stack: Stack, member: Api) -> None:
    answer = Api(stack.web_url).post("/api/register/", {"email": member.email.upper(), "password": PASSWORD})

    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert "email" in answer.json()["errors"]


def test_a_wrong_password_gets_no_token(stack: Stack, member: Api) -> None:
    answer = Api(stack.web_url).post("/api/token/", {"email": member.email, "password": "wrong"})

    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert "token" not in answer.json()


@pytest.mark.parametrize("path", ["/api/add-numbers/", "/api/jobs/", "/api/images/", "/api/fetch/"])
def test_nothing_else_is_open_without_a_token(stack: Stack, path: str) -> None:
    answers = [Api(stack.web_url, token).post(path, {}) for token in (None, "wrong")]

    assert [answer.status_code for answer in answers] == [httpx.codes.UNAUTHORIZED] * 2


def test_it_adds_numbers_and_tells_the_result(member: Api) -> None:
    accepted = member.post("/api/add-numbers/", {"num1": 20, "num2": 22.5})

    assert accepted.status_code == httpx.codes.ACCEPTED
    task_id = accepted.json()["task_id"]
    assert member.get(accepted.headers["Location"]).status_code == httpx.codes.OK
    result = member.result(task_id)
    assert result.pop("status")
    assert result == {"state": "SUCCESS", "ready": True, "successful": True, "failed": False, "result": 42.5}


def test_the_result_of_waiting_and_running_work_is_not_ready(member: Api) -> None:
    waiting_id = member.submit("probe.cpu.noop", countdown=600)
    running_id = member.submit("probe.io.sleep", kwargs={"seconds": 5})
    member.wait(running_id, states=("running",))

    states = {task_id: member.get(f"/api/task-result/{task_id}/").json() for task_id in (waiting_id, running_id)}

    assert [each["state"] for each in states.values()] == ["PENDING", "STARTED"]
    for told in states.values():
        assert (told["ready"], told["successful"], told["failed"]) == (False, False, False)
        assert not {"result", "error"} & told.keys()
    member.post(f"/api/jobs/{waiting_id}/cancel/")


def test_the_result_of_failed_work_is_its_error(member: Api) -> None:
    task_id = member.submit("probe.cpu.fail", kwargs={"message": "out of carrots"})

    result = member.result(task_id)

    assert (result["state"], result["ready"], result["successful"], result["failed"]) == ("FAILURE", True, False, True)
    assert "out of carrots" in result["error"]
    assert "result" not in result


@pytest.mark.parametrize(
    "numbers", [{}, {"num1": 1}, {"num1": "1", "num2": 2}, {"num1": True, "num2": 2}, {"num1": None, "num2": 2}, [1, 2]]
)
def test_it_refuses_what_are_not_two_numbers(member: Api, numbers: object) -> None:
    answer = member.post("/api/add-numbers/", numbers)

    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert answer.json()["detail"]


@pytest.mark.parametrize("path", ["/login/", "/api/schema/", "/api/docs/", "/admin/login/"])
def test_a_page_loads_with_all_that_it_names(stack: Stack, path: str) -> None:
    visitor = Api(stack.web_url)

    page = visitor.get(path)

    assert page.status_code == httpx.codes.OK
    parts = [piece.split('"')[0] for piece in page.text.split('"/static/')[1:]]
    assert parts or path == "/api/schema/"
    assert {visitor.get(f"/static/{part}").status_code for part in parts} <= {httpx.codes.OK}


def test_the_schema_names_every_address_of_the_guide(stack: Stack) -> None:
    schema = Api(stack.web_url).get("/api/schema/", params={"format": "json"}).json()

    assert {
        "/api/register/",
        "/api/token/",
        "/api/add-numbers/",
        "/api/task-result/{task_id}/",
        "/api/jobs/",
        "/api/jobs/{job_id}/",
        "/api/jobs/{job_id}/cancel/",
    } <= schema["paths"].keys()


def _mail_to(stack: Stack, address: str) -> Message | None:
    """The last mail to this address that the SMTP server has printed."""
    _, *mails = stack.logs("mail").split("---------- MESSAGE FOLLOWS ----------\n")
    found = [text.split("------------ END MESSAGE ------------")[0] for text in mails if f"To: {address}" in text]
    return message_from_string(found[-1]) if found else None
