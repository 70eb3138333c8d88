"""Flower: behind a login, for looking only, and up also when no worker is."""

import httpx
import pytest

from tests.stack import waiting
from tests.stack.api import Api
from tests.stack.stack import WORKERS, Stack


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


def test_it_shows_the_brokers_queues(stack: Stack, login: tuple[str, str]) -> None:
    flower = Api(stack.flower_url)

    def look() -> bool:
        # Flower asks for the queues of the workers that it knows, and knows them once it was asked to look
        flower.get("/workers", params={"refresh": "1"}, auth=login)
        cells = flower.get("/broker", auth=login).text.replace(" ", "").replace("\n", "")
        return all(f">{queue}<" in cells for queue in ("cpu", "io"))

    waiting.until(look, within_s=30, what="Flower shows both queues")


def test_it_shows_tasks_that_ran(stack: Stack, member: Api, login: tuple[str, str]) -> None:
    job_id = member.submit("probe.io.echo", args=["seen"])
    member.wait(job_id)

    def look() -> bool:
        return Api(stack.flower_url).get(f"/task/{job_id}", auth=login).is_success

    waiting.until(look, within_s=20, what="Flower knows the task")


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
