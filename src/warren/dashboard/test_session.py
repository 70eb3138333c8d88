"""Logging in and out, and pages that cannot be shown."""

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from pytest_django import Settings

from warren.dashboard import content_policy
from warren.dashboard.conftest import LIVE, text

pytestmark = pytest.mark.django_db

PAGES = ("/overview/", "/jobs/", "/jobs/some-id/", "/bulk/retry/", "/schedules/", "/dead-letters/")


def test_the_root_leads_to_the_login_and_then_to_the_overview(client: Client, user: Any) -> None:
    assert client.get("/").headers["Location"] == "/login/"

    answer = client.post("/login/", {"username": "Ann@example.com", "password": "correct horse"})

    assert answer.headers["Location"] == "/overview/"
    assert client.get("/").headers["Location"] == "/overview/"
    assert user.email in text(client, "/overview/")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_asks_for_a_login_and_comes_back(client: Client, path: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.headers["Location"]) == (302, f"/login/?next={path}")


def test_a_login_leads_back_to_this_site_only(client: Client, user: Any) -> None:
    login = {"username": user.email, "password": "correct horse"}

    there = [
        client.post("/login/", {**login, "next": path}).headers["Location"]
        for path in ("/jobs/?state=failed", "https://elsewhere.example/")
    ]

    assert there == ["/jobs/?state=failed", "/overview/"]


@pytest.mark.usefixtures("user")
def test_a_wrong_password_is_told_of(client: Client) -> None:
    page = text_of(client.post("/login/", {"username": "ann@example.com", "password": "wrong"}))

    assert 'role="alert"' in page
    assert "ann@example.com" in page


def test_logging_out_ends_the_session(member: Client) -> None:
    assert member.post("/logout/").headers["Location"] == "/login/"

    assert member.get("/overview/").status_code == 302


@pytest.mark.parametrize("path", PAGES)
def test_a_live_part_whose_session_ended_is_no_login_page(client: Client, path: str) -> None:
    answer = client.get(path, headers=LIVE)

    assert (answer.status_code, answer.content) == (401, b"")


@pytest.mark.parametrize("live", [False, True])
def test_a_page_says_that_postgres_is_away(member: Client, *, live: bool) -> None:
    def fail(*_args: Any) -> None:
        raise OperationalError("connection refused")

    with connection.execute_wrapper(fail):
        answer = member.get("/jobs/", headers=LIVE if live else {})

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert ('data-reload-when="/readyz"' in answer.content.decode()) is not live


@pytest.mark.parametrize("path", ["/login/", "/overview/", "/jobs/", "/jobs/nothing/", "/dead-letters/"])
def test_a_page_may_load_only_what_comes_from_here(member: Client, path: str) -> None:
    assert member.get(path).headers[content_policy.HEADER] == content_policy.POLICY
    assert "unsafe" not in content_policy.POLICY


@pytest.mark.parametrize("path", ["/api/docs/", "/admin/login/"])
def test_the_pages_of_others_keep_their_scripts(client: Client, path: str) -> None:
    assert content_policy.HEADER not in client.get(path).headers


def test_pages_are_kept_by_no_cache(member: Client) -> None:
    headers = member.get("/jobs/").headers

    assert "no-store" in headers["Cache-Control"]
    assert "HX-Request" in headers["Vary"]


@pytest.mark.parametrize("path", ["/schedules/", "/schedules/1/run/"])
def test_what_is_for_the_staff_is_not_there_for_others(member: Client, path: str) -> None:
    assert [member.get("/schedules/").status_code, member.post("/schedules/1/run/").status_code] == [404, 404]
    assert path not in text(member, "/overview/")


@pytest.mark.parametrize(
    ("more_hosts", "debug", "is_told"), [([], False, True), (["jobs.example.com"], False, False), (["*"], True, True)]
)
def test_only_a_site_of_this_machine_alone_tells_where_its_password_stands(
    client: Client, settings: Settings, more_hosts: list[str], *, debug: bool, is_told: bool
) -> None:
    settings.ALLOWED_HOSTS, settings.DEBUG = [*settings.LOCAL_HOSTS, *more_hosts], debug

    page = client.get("/login/", headers={"Host": "localhost"}).content.decode()

    assert ("ADMIN_PASSWORD" in page) is is_told


def test_a_form_from_before_the_last_login_is_told_what_to_do(user: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user)

    answer = strict.post("/jobs/some-id/retry/", {"csrfmiddlewaretoken": "x" * 64})

    assert answer.status_code == 403
    assert "load that page anew" in answer.content.decode()


def text_of(answer: Any) -> str:
    assert answer.status_code == 200
    return str(answer.content.decode())
