"""Finding a failed job, understanding it, running it again; cancelling; many at once."""

from uuid import uuid4

from playwright.sync_api import expect

from tests.browser import work
from tests.browser.site import Site
from tests.stack.api import Api
from tests.stack.stack import Stack


def test_a_person_finds_a_failed_job_understands_it_mends_it_and_retries_it(
    site: Site, stack: Stack, admin: Api
) -> None:
    job_id, wanted = work.failing(admin)

    site.open("Jobs")
    site.page.get_by_label("State").select_option("failed")
    site.page.get_by_label("Text in id, task or arguments").fill(wanted)
    site.button("Show").click()
    site.page.get_by_role("link", name="probe.io.needs").click()
    expect(site.page.get_by_text(f"there is no {wanted}").first).to_be_visible()
    site.page.locator("#traceback summary").click()
    expect(site.page.get_by_role("region", name="Traceback").first).to_contain_text("LookupError")
    site.picture("readme-failed-job")
    work.mend(stack, wanted)
    site.page.get_by_label("Why (for the history)").fill("carrots are here")
    site.button("Retry").click()

    expect(site.message("1 job put back into its queue")).to_be_visible()
    site.expect_state("succeeded")
    expect(site.page.locator("#timeline")).to_contain_text("Retried by hand")
    expect(site.page.locator("#timeline")).to_contain_text("carrots are here")
    assert admin.job(job_id)["attempt"] == 2


def test_a_person_cancels_a_running_job(site: Site, admin: Api) -> None:
    job_id = work.running(admin)
    site.open_job(job_id, state="running")

    site.page.get_by_label("Why (for the history)").fill("takes too long")
    site.button("Cancel").click()

    site.expect_state("cancelled")
    expect(site.page.locator("#timeline")).to_contain_text("takes too long")
    assert admin.job(job_id)["state"] == "cancelled"


def test_a_person_clones_a_job(site: Site, admin: Api) -> None:
    job_id = admin.submit("probe.cpu.echo", kwargs={"message": "again"})
    site.open_job(job_id, state="succeeded")

    site.button("Clone").click()

    expect(site.message("Submitted anew")).to_be_visible()
    site.expect_state("succeeded")
    assert job_id not in site.page.url


def test_a_bulk_retry_names_what_it_does_first(site: Site, stack: Stack, admin: Api) -> None:
    wanted = f"carrots-{uuid4().hex[:8]}"
    ids = [admin.submit("probe.io.needs", kwargs={"message": wanted}) for _ in range(3)]
    for job_id in ids:
        admin.wait(job_id, states=("failed",))
    work.mend(stack, wanted)

    site.page.goto(f"/jobs/?state=failed&search={wanted}")
    site.page.get_by_role("link", name="Retry all of these").click()
    expect(site.heading("Retry 3 jobs?")).to_be_visible()
    expect(site.page.get_by_text("3 \u00d7 probe.io.needs")).to_be_visible()
    assert {admin.job(job_id)["state"] for job_id in ids} == {"failed"}
    site.picture("bulk-retry")
    site.button("Retry 3 jobs").click()

    expect(site.message("3 jobs put back")).to_be_visible()
    assert {admin.wait(job_id)["state"] for job_id in ids} == {"succeeded"}


def test_rows_that_come_leave_what_a_person_is_at_alone(site: Site, admin: Api) -> None:
    marked = f"row-{uuid4().hex[:8]}"
    first = admin.submit("probe.cpu.echo", kwargs={"message": marked})
    site.page.goto(f"/jobs/?search={marked}")
    box = site.page.locator(f'input[value="{first}"]')
    box.check()
    box.focus()
    field = site.page.get_by_label("Task, its whole name")
    field.evaluate("field => field.value = 'half typed'")

    later = admin.submit("probe.cpu.echo", kwargs={"message": marked})

    expect(site.page.locator(f'input[value="{later}"]')).to_be_visible()
    expect(box).to_be_checked()
    expect(box).to_be_focused()
    expect(field).to_have_value("half typed")


def test_details_that_were_opened_stay_open_and_nothing_jumps(site: Site, admin: Api) -> None:
    job_id, _ = work.failing(admin)
    site.open_job(job_id, state="failed")
    details = site.page.locator("#traceback")
    details.locator("summary").click()
    before = details.bounding_box()

    for _ in range(2):
        with site.page.expect_response(lambda answer: job_id in answer.url and answer.ok):
            pass

    expect(details).to_have_attribute("open", "")
    assert details.bounding_box() == before


def test_the_graph_shows_a_chain_and_leads_along_it(site: Site, stack: Stack) -> None:
    first, second, third = work.chained(stack)
    site.open_job(first)

    drawing = site.page.locator("#graph")
    expect(drawing.get_by_role("link")).to_have_count(3)
    expect(drawing.locator(f'a[href="/jobs/{third}/"]')).to_contain_text("succeeded")
    site.picture("readme-chain")
    drawing.locator(f'a[href="/jobs/{second}/"]').click()

    expect(site.heading("probe.io.sleep")).to_be_visible()
    site.expect_state("succeeded")
