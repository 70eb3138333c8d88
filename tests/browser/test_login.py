"""Logging in, and what a page does when the session or the server goes away."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import Site
from tests.stack.stack import Stack

AWAY = "Warren does not answer"
ENDED = "Your session has ended"
RECOVERS_WITHIN_MS = 60_000  # web starts anew meanwhile


def test_the_root_leads_to_the_login_and_a_wrong_password_is_told_of(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()

    page.get_by_label("E-mail").fill("nobody@example.com")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()

    expect(page.get_by_role("alert")).to_be_visible()


def test_it_works_by_keyboard_alone(page: Page, stack: Stack) -> None:
    page.goto("/login/")

    page.keyboard.type(stack.values["ADMIN_EMAIL"])
    page.keyboard.press("Tab")
    page.keyboard.type(stack.values["ADMIN_PASSWORD"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.keyboard.press("Tab")

    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_a_person_logs_out(site: Site) -> None:
    site.button("Log out").click()

    expect(site.heading("Log in")).to_be_visible()


@pytest.mark.troubled
@pytest.mark.parametrize(
    ("where", "button", "then"),
    [
        ("Overview", "Log out", "Log in"),
        ("Jobs", "Retry chosen", "Nothing to retry"),
        ("Schedules", "Run now delete-old-jobs", "celery.backend_cleanup"),
        ("Try it", "Add them", "How it stands"),
    ],
)
def test_a_page_whose_session_ended_says_so_and_goes_on_after_a_login(
    site: Site, stack: Stack, where: str, button: str, then: str
) -> None:
    site.open(where)
    _log_in_again_elsewhere(site, stack, is_told=where != "Try it")

    site.button(button).click()

    expect(site.page.get_by_role("heading", name=then)).to_be_visible()


def _log_in_again_elsewhere(site: Site, stack: Stack, *, is_told: bool) -> None:
    site.page.context.clear_cookies(name="sessionid")
    if is_told:
        expect(site.page.get_by_text(ENDED)).to_be_visible()
    other = Site(site.page.context.new_page(), reports=site.reports)
    other.log_in(email=stack.values["ADMIN_EMAIL"], password=stack.values["ADMIN_PASSWORD"])
    site.page.bring_to_front()
    expect(site.page.get_by_text(ENDED)).to_be_hidden()


@pytest.mark.troubled
def test_a_page_outlives_the_server(site: Site, stack: Stack) -> None:
    with stack.stopped("web"):
        expect(site.page.get_by_text(AWAY)).to_be_visible()
        expect(site.heading("Overview")).to_be_visible()

    expect(site.page.get_by_text(AWAY)).to_be_hidden(timeout=RECOVERS_WITHIN_MS)


@pytest.mark.troubled
def test_a_page_that_cannot_be_shown_opens_when_postgres_is_back(site: Site, stack: Stack) -> None:
    with stack.stopped("postgres"):
        site.page.goto("/jobs/")
        expect(site.heading("Postgres does not answer")).to_be_visible()

    expect(site.heading("Jobs")).to_be_visible(timeout=RECOVERS_WITHIN_MS)
