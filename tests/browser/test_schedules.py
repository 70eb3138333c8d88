"""Schedules and dead letters."""

from playwright.sync_api import expect

from tests.browser import work
from tests.browser.site import Site
from tests.stack.api import Api
from tests.stack.stack import Stack


def test_a_person_switches_an_entry_off_and_on(site: Site, stack: Stack) -> None:
    site.open("Schedules")
    row = site.page.get_by_role("row").filter(has_text="probe-interval")

    site.button("Disable probe-interval").click()
    expect(row).to_contain_text("switched off")
    expect(site.page.get_by_role("region", name="Done by hand")).to_contain_text(stack.values["ADMIN_EMAIL"])
    site.picture("schedules")
    site.button("Enable probe-interval").click()

    expect(row).to_contain_text("in 299 d")


def test_a_person_runs_an_entry_now(site: Site) -> None:
    site.open("Schedules")

    site.button("Run now probe-crontab").click()

    expect(site.heading("probe.cpu.noop")).to_be_visible()
    site.expect_state("succeeded")


def test_dead_letters_say_why_and_lead_to_a_retry(site: Site, stack: Stack, admin: Api) -> None:
    job_id = work.dead(stack, admin)
    site.open("Dead letters")

    row = site.page.get_by_role("row").filter(has_text=job_id)
    expect(row).to_contain_text("its workers were lost each time")
    site.page.get_by_role("link", name="Retry all").click()
    expect(site.page.get_by_role("heading", level=1)).to_contain_text("Retry")
    expect(site.page.get_by_text(job_id)).to_be_visible()
    site.page.locator("button.primary").click()

    expect(site.message("put back into its queue")).to_be_visible()
    assert admin.wait(job_id)["attempt"] == 2
