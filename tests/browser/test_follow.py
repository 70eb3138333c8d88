"""The JavaScript example, in a browser: one job followed by both ways at once, to its end."""

from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.browser import work
from tests.browser.site import Site
from tests.stack.stack import Stack

WAYS = ("Server-Sent Events", "WebSocket")


def test_both_ways_follow_a_job_to_its_end(site: Site) -> None:
    site.page.goto("/follow/")

    site.button("add 2 and 3 in three seconds").click()

    for way in WAYS:
        card = site.card(way)
        expect(card.locator("[data-end]")).to_have_text("The job has ended.")
        expect(card.locator("[data-state]")).to_have_text("succeeded")
        assert len(card.get_by_role("listitem").all()) > 1  # it was not over when it was first seen


@pytest.mark.troubled  # a stream that is refused is an error to the console
def test_both_ways_say_that_there_is_no_such_job(site: Site) -> None:
    site.page.goto("/follow/?job=<b>nothing</b>")

    for way in WAYS:
        expect(site.card(way).locator("[data-end]")).to_have_text("There is no such job that you may see.")
    expect(site.page.get_by_label("Job")).to_have_value("<b>nothing</b>")


@pytest.mark.parametrize("job_id", ["orders/42", "100%~1", ".."])
def test_both_ways_follow_a_job_that_a_foreign_producer_named(site: Site, stack: Stack, job_id: str) -> None:
    work.named(stack, job_id)

    site.page.goto(f"/follow/?{urlencode({'job': job_id})}")

    for way in WAYS:
        expect(site.card(way).locator("[data-end]")).to_have_text("The job has ended.")
        expect(site.card(way).locator("[data-state]")).to_have_text("succeeded")
