"""Warren's API as its users meet it: over HTTP, with a token."""

import ssl
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from tests.stack import waiting

PASSWORD = "carrot-and-stick-42"  # noqa: S105  of users that live as long as a test
FINAL = ("succeeded", "failed", "cancelled", "expired", "dead")
REQUEST_TIMEOUT_S = 30.0
_NO_TLS = ssl.create_default_context()  # made once; httpx would load all certificates for every client


@dataclass(frozen=True)
class Api:
    """A client; without a token an anonymous one."""

    base_url: str
    token: str | None = None
    email: str = ""

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request over a connection of its own, so that a restarted server is no surprise."""
        url = path if path.startswith("http") else f"{self.base_url}{path}"
        headers = {"Authorization": f"Token {self.token}"} if self.token else {}
        with httpx.Client(headers=headers, verify=_NO_TLS, timeout=REQUEST_TIMEOUT_S, trust_env=False) as client:
            return client.request(method, url, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        return self.request("POST", path, json=json, **options)

    def submit(self, task: str, **submission: Any) -> str:
        """The id of an accepted job."""
        answer = self.post("/api/jobs/", {"task": task, **submission})
        _expect(answer, httpx.codes.ACCEPTED)
        return str(answer.json()["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        """All that is known of a job."""
        answer = self.get(f"/api/jobs/{job_id}/")
        _expect(answer, httpx.codes.OK)
        return dict(answer.json())

    def wait(self, job_id: str, *, within_s: float = 30, states: tuple[str, ...] = FINAL) -> dict[str, Any]:
        """The job as soon as it is in one of these states."""

        def look() -> dict[str, Any] | None:
            job = self.job(job_id)
            return job if job["state"] in states else None

        return waiting.until(look, within_s=within_s, what=f"job {job_id} is {' or '.join(states)}")

    def result(self, task_id: str, *, within_s: float = 30) -> dict[str, Any]:
        """What /api/task-result/ says of a task as soon as it is ready."""

        def look() -> dict[str, Any] | None:
            answer = self.get(f"/api/task-result/{task_id}/")
            _expect(answer, httpx.codes.OK)
            body = dict(answer.json())
            return body if body["ready"] else None

        return waiting.until(look, within_s=within_s, what=f"task {task_id} is ready")


def log_in(base_url: str, *, email: str, password: str) -> Api:
    """A client with this user's token."""
    answer = Api(base_url).post("/api/token/", {"email": email, "password": password})
    _expect(answer, httpx.codes.OK)
    return Api(base_url, token=answer.json()["token"], email=email)


def register(base_url: str) -> Api:
    """A client with the token of a new user."""
    email = f"user-{uuid4().hex[:12]}@example.org"
    answer = Api(base_url).post("/api/register/", {"email": email, "password": PASSWORD, "first_name": "Ada"})
    _expect(answer, httpx.codes.CREATED)
    return log_in(base_url, email=email, password=PASSWORD)


def _expect(answer: httpx.Response, status: httpx.codes) -> None:
    if answer.status_code != status:
        raise AssertionError(f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text[:2000]}")
