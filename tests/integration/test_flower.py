"""Flower: behind a login, for looking only, and up also when no worker is."""

import httpx
import pytest

from tests.integration import waiting
from tests.integration.api import Api
from tests.integration.stack import WORKERS, Stack


@pytest.fixture
def login(stack: Stack) -> tuple[str, str]:
    return stack.values["FLOWER_USER"], stack.values["FLOWER_PASSWORD"]


@pytest.mark.parametrize("path", ["/", "/workers", "/tasks", "/broker", "/api/workers"])
@pytest.mark.parametrize("auth", [None, ("admin", "wrong")])
def test_nothing_is_shown_without_the_login(stack: Stack, path: str, auth: tuple[str, str] | None) -> None:
    answer = Api(stack.flower_url).get(path, auth=auth)

    assert answer.status_code == httpx.codes.UNAUTHORIZED
    assert "worker-" not in answer.text


def test_it_shows_both_workers(stack: Stack, login: tuple[str, str]) -> None:
    def look() -> bool:
        page = Api(stack.flower_url).get("/workers", auth=login)
        assert page.status_code == httpx.codes.OK
        return all(f"{service}@" in page.text for service in WORKERS)

    waiting.until(look, within_s=30, what="Flower shows both workers")


def test_it_shows_tasks_and_the_brokers_queues(stack: Stack, login: tuple[str, str]) -> None:
    pages = {path: Api(stack.flower_url).get(path, auth=login) for path in ("/tasks", "/broker")}

    assert {page.status_code for page in pages.values()} == {httpx.codes.OK}
    assert all(f">{queue}<" in pages["/broker"].text.replace(" ", "").replace("\n", "") for queue in ("cpu", "io"))


def test_it_does_not_let_anybody_stop_a_worker(stack: Stack, member: Api, login: tuple[str, str]) -> None:
    worker = member.wait(member.submit("probe.cpu.noop"))["worker"]

    answer = Api(stack.flower_url).post(f"/api/worker/shutdown/{worker}", auth=login)

    assert answer.status_code == httpx.codes.FORBIDDEN, answer.text
    assert member.wait(member.submit("probe.cpu.noop"))["worker"] == worker


def test_it_is_healthy_while_both_workers_are_stopped(stack: Stack) -> None:
    with stack.stopped(*WORKERS):
        answer = Api(stack.flower_url).get("/healthcheck")
        stack.execute("flower", "/srv/flower/healthcheck")

    assert answer.status_code == httpx.codes.OK
