"""The ledger of `make k8s/verify` finds a promise that is broken: against an API that does as it is told."""

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from k8s.verify import ledger

ADDITIONS = 5
PAGE = 3


class Api(ThreadingHTTPServer):
    """As much of Warren's API as the ledger asks. What it does wrong is what a test sets."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.jobs: dict[str, dict[str, Any]] = {}
        self.reminders: list[dict[str, Any]] = []
        self.keys: dict[str, str] = {}
        self.unanswered = self.twice = self.wrong_sum = False
        self.mails_each = 1
        self.stop = Path()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def submit(self, key: str, args: list[int]) -> dict[str, Any]:
        if key not in self.keys or self.twice:
            job_id = f"job-{len(self.jobs)}"
            self.jobs[job_id] = {"id": job_id, "state": "succeeded", "result": sum(args) + self.wrong_sum}
            self.keys[key] = job_id
        if len(self.jobs) >= ADDITIONS:
            self.stop.touch()
        return self.jobs[self.keys[key]]

    def listed(self, task: str) -> list[dict[str, Any]]:
        if task == "arithmetic.add":
            return list(self.jobs.values())
        return [{"id": f"mail-{number}"} for number in range(len(self.reminders) * self.mails_each)]


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Api

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        match self.path:
            case "/api/token/":
                self._answer({"token": "t"})
            case "/api/reminders/":
                self.server.reminders.append(body)
                self._answer(body)
            case "/api/jobs/":
                job = self.server.submit(self.headers["Idempotency-Key"], body["args"])
                self.server.unanswered, refused = False, self.server.unanswered
                self._answer(job, status=503 if refused else 202)

    def do_GET(self) -> None:
        if "?" not in self.path:
            self._answer(self.server.jobs[self.path.split("/")[3]])
            return
        query = dict(each.split("=") for each in self.path.partition("?")[2].split("&"))
        start, found = int(query.get("start", 0)), self.server.listed(query["task"])
        more = f"{self.server.address}/api/jobs/?task={query['task']}&start={start + PAGE}"
        self._answer({"results": found[start : start + PAGE], "next": more if len(found) > start + PAGE else None})

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def _answer(self, body: Any, *, status: int = 200) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    (tmp_path / "password").write_text("secret")
    (tmp_path / "go").touch()
    monkeypatch.setenv("ADMIN_PASSWORD_FILE", str(tmp_path / "password"))
    monkeypatch.setenv("ADMIN_EMAIL", "admin@example.com")
    monkeypatch.setattr(ledger, "GO", tmp_path / "go")
    monkeypatch.setattr(ledger, "STOP", tmp_path / "stop")
    monkeypatch.setattr(ledger, "BETWEEN_REMINDERS", timedelta(seconds=0))
    monkeypatch.setattr(ledger, "LATEST_TICK_S", 0.0)
    with Api() as served:
        served.stop = tmp_path / "stop"
        thread = threading.Thread(target=served.serve_forever, args=(0.01,))
        thread.start()
        yield served
        served.shutdown()
        thread.join()


def test_it_finds_the_promise_kept(api: Api) -> None:
    api.unanswered = True  # and sent again, under the same key

    assert ledger.main(api.address) == 0
    assert len(api.jobs) == ADDITIONS
    assert len(api.reminders) == ledger.REMINDERS


def test_reminders_become_due_one_after_the_other(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "BETWEEN_REMINDERS", timedelta(seconds=10))

    ledger.main(api.address)

    due = [datetime.fromisoformat(each["at"]) for each in api.reminders]
    assert [later - sooner for sooner, later in pairwise(due)] == [timedelta(seconds=10)] * 19


def test_it_finds_a_wrong_result(api: Api) -> None:
    api.wrong_sum = True

    assert ledger.main(api.address) == ADDITIONS


def test_it_finds_a_submission_that_made_two_jobs(api: Api) -> None:
    api.unanswered = api.twice = True

    assert ledger.main(api.address) == 1


@pytest.mark.parametrize("each", [0, 2])
def test_it_finds_an_effect_that_is_missing_or_there_twice(api: Api, each: int) -> None:
    api.mails_each = each

    assert ledger.main(api.address) == 1
