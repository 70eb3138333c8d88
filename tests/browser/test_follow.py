"""The JavaScript example, in a browser: one job followed by both ways at once, to its end."""

from playwright.sync_api import expect

from tests.browser.site import Site


def test_both_ways_follow_a_job_to_its_end(site: Site) -> None:
    site.page.goto("/follow/")

    site.button("add 2 and 3 in three seconds").click()

    for way in ("Server-Sent Events", "WebSocket"):
        card = site.card(way)
        expect(card.locator("[data-end]")).to_have_text("The job has ended.")
        expect(card.locator("[data-state]")).to_have_text("succeeded")
        assert len(card.get_by_role("listitem").all()) > 1  # it was not over when it was first seen
