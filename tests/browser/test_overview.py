"""The overview, and choosing a theme."""

from playwright.sync_api import expect

from tests.browser import work
from tests.browser.site import Site
from tests.stack.api import Api


def test_it_shows_queues_workers_and_what_is_behind_them(site: Site, admin: Api) -> None:
    job_id = work.running(admin)
    queue = site.page.get_by_role("region", name="Queue io")

    expect(queue.get_by_role("img")).to_be_visible()
    expect(site.page.get_by_role("region", name="Workers")).to_contain_text("gevent")
    expect(site.page.get_by_role("region", name="Workers")).to_contain_text("prefork")
    expect(site.page.get_by_role("region", name="Beat")).to_contain_text("leads")
    expect(site.page.get_by_role("region", name="Relay")).to_contain_text("in time")
    expect(site.page.get_by_role("region", name="Broker")).to_contain_text("Every queue is read")
    site.picture("readme-overview")
    queue.locator('a[href$="state=running"]').click()

    expect(site.page.locator(f'input[value="{job_id}"]')).to_be_visible()
    admin.post(f"/api/jobs/{job_id}/cancel/")


def test_a_theme_that_was_chosen_stays(site: Site) -> None:
    before = site.page.evaluate("getComputedStyle(document.body).backgroundColor")

    site.page.get_by_role("button", name="Switch between dark and light").click()
    after = site.page.evaluate("getComputedStyle(document.body).backgroundColor")
    site.picture("readme-overview-dark")
    site.page.reload()

    assert after != before
    assert site.page.evaluate("getComputedStyle(document.body).backgroundColor") == after
