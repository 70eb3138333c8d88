"""A person who never saw Warren, from the address that `make up` prints to a job that is mended.

They go by what stands on the pages: no address is typed but the first.
"""

import re
from io import BytesIO

from PIL import Image
from playwright.sync_api import FilePayload, expect

from tests.browser.site import Site
from tests.stack.stack import Stack

HERE = "http://web:8000/livez"  # inside the stack's network, where there is nobody else to fetch from


def test_a_newcomer_tries_the_tasks_and_mends_a_failed_job(door: Site, stack: Stack) -> None:
    door.page.goto("/")
    door.fill_in_login(email=stack.values["ADMIN_EMAIL"], password=stack.values["ADMIN_PASSWORD"])
    door.open("Try it")

    _add(door)
    _make_thumbnails(door)
    _fetch(door)
    _report(door)
    _divide_by_zero(door)
    _find_out_why(door)
    _mend(door)


def _add(site: Site) -> None:
    card = site.card("Add two numbers")
    card.get_by_label("Num1").fill("20")
    card.get_by_label("Num2").fill("22")
    card.get_by_role("button").click()
    expect(site.page.get_by_role("group", name="What it returned")).to_have_text("42")
    _to_other_things(site)


def _make_thumbnails(site: Site) -> None:
    file = BytesIO()
    Image.new("RGB", (900, 600), "orange").save(file, "PNG")
    picture: FilePayload = {"name": "carrot.png", "mimeType": "image/png", "buffer": file.getvalue()}
    card = site.card("Make thumbnails of a picture")
    card.get_by_label("File").set_input_files(picture)
    card.get_by_role("button", name="Upload it").click()
    small = site.page.get_by_alt_text("The picture, small")
    expect(small).to_be_visible()
    assert small.evaluate("picture => picture.naturalWidth") == 160
    _to_other_things(site)


def _fetch(site: Site) -> None:
    card = site.card("Fetch web addresses")
    card.get_by_label("Urls").fill(HERE)
    card.get_by_role("button").click()
    row = site.page.get_by_role("row").filter(has_text=HERE)
    expect(row).to_contain_text(re.compile(r"200.*\d ms", re.DOTALL))
    _to_other_things(site)


def _report(site: Site) -> None:
    site.card("Report on your jobs").get_by_role("button").click()
    with site.page.expect_download() as caught:
        site.page.get_by_role("link", name="Download the PDF").click()
    assert caught.value.path().read_bytes().startswith(b"%PDF-")
    _to_other_things(site)


def _divide_by_zero(site: Site) -> None:
    site.card("See a job fail").get_by_role("button").click()
    expect(site.card("Why it failed")).to_contain_text("ZeroDivisionError")


def _find_out_why(site: Site) -> None:
    site.open("Jobs")
    site.page.get_by_label("State").select_option("failed")
    site.button("Show").click()
    site.page.get_by_role("link", name="arithmetic.divide").first.click()
    site.expect_state("failed")
    expect(site.card("Why it failed")).to_contain_text("ZeroDivisionError")
    site.page.locator("#traceback summary").click()
    expect(site.page.get_by_role("region", name="Traceback").first).to_contain_text("num1 / num2")


def _mend(site: Site) -> None:
    site.page.get_by_role("link", name="Change and run").click()
    expect(site.page.get_by_label("Num2")).to_have_value("0")
    site.page.get_by_label("Num2").fill("4")
    site.button("Divide them").click()
    expect(site.page.get_by_role("group", name="What it returned")).to_have_text("0.25")
    site.page.get_by_role("link", name="All about this job").click()
    site.expect_state("succeeded")


def _to_other_things(site: Site) -> None:
    site.page.get_by_role("link", name="Other things to try").click()
    expect(site.heading("Try it")).to_be_visible()
