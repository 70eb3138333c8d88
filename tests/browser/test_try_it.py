"""The page to try tasks on: what a person tries first, by mouse, by keyboard, and without JavaScript."""

import re
from io import BytesIO
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, FilePayload, expect

from tests.browser.site import Site
from tests.stack.stack import Stack

PAGES = ("/try/", "/try/arithmetic.add/", "/try/images.make_thumbnails/", "/try/reports.make_report/")


def _picture() -> FilePayload:
    file = BytesIO()
    Image.new("RGB", (900, 600), "orange").save(file, "PNG")
    return {"name": "carrot.png", "mimeType": "image/png", "buffer": file.getvalue()}


def test_two_numbers_are_added_by_keyboard_alone(site: Site) -> None:
    site.page.goto("/try/arithmetic.add/")
    site.page.get_by_label("Num1").focus()
    site.page.keyboard.press("Control+A")
    site.page.keyboard.type("20")
    site.page.keyboard.press("Tab")
    site.page.keyboard.press("Control+A")
    site.page.keyboard.type("22")
    site.page.keyboard.press("Enter")

    expect(site.page.get_by_role("group", name="What it returned")).to_have_text("42")
    expect(site.page.get_by_role("status").filter(has_text="succeeded")).to_be_visible()
    site.page.get_by_role("link", name="All about this job").click()
    site.expect_state("succeeded")


def test_a_picture_becomes_thumbnails_before_ones_eyes(site: Site) -> None:
    site.page.goto("/try/images.make_thumbnails/")
    site.page.get_by_label("File").set_input_files(_picture())
    site.button("Upload it").click()

    small = site.page.get_by_alt_text("The picture, small")
    expect(small).to_be_visible()
    assert small.evaluate("picture => picture.naturalWidth") == 160
    site.picture("readme-try-it")


def test_addresses_are_fetched(site: Site) -> None:
    site.page.goto("/try/fetching.fetch_urls/")
    site.page.get_by_label("Urls").fill("https://carrots.invalid/")
    site.button("Fetch them").click()

    expect(site.page.get_by_role("row").filter(has_text="carrots.invalid")).to_be_visible()


def test_a_report_is_made_and_downloaded(site: Site) -> None:
    site.page.goto("/try/reports.make_report/")
    site.button("Make it").click()

    with site.page.expect_download() as caught:
        site.page.get_by_role("link", name="Download the PDF").click()
    assert re.fullmatch(r"jobs-.*\.pdf", caught.value.suggested_filename)
    assert caught.value.path().read_bytes().startswith(b"%PDF-")


def test_a_job_fails_and_one_sees_why_mends_its_argument_and_runs_it_again(site: Site) -> None:
    site.page.goto("/try/arithmetic.divide/")
    site.button("Divide them").click()
    expect(site.page.get_by_text("ZeroDivisionError")).to_be_visible()
    site.page.get_by_role("link", name="All about this job").click()
    site.expect_state("failed")
    expect(site.page.get_by_role("heading", name="Why it failed")).to_be_visible()

    site.page.get_by_role("link", name="Change and run").click()
    expect(site.page.get_by_label("Num1")).to_have_value("1")
    site.page.get_by_label("Num2").fill("4")
    site.button("Divide them").click()

    expect(site.page.get_by_role("group", name="What it returned")).to_have_text("0.25")


@pytest.mark.troubled  # a page with status 400 is an error to the console
def test_what_is_wrong_is_said_beside_its_field(site: Site) -> None:
    site.page.goto("/try/arithmetic.add/")
    site.page.get_by_label("Num1").fill("1e400")
    site.button("Add them").click()

    expect(site.page.get_by_role("alert")).to_contain_text("Nothing was sent")
    field = site.page.get_by_label("Num1")
    expect(field).to_have_attribute("aria-invalid", "true")
    site.page.get_by_role("alert").get_by_role("link", name="Num1").click()
    expect(field).to_be_focused()


def test_it_works_without_javascript(site: Site, browser: Browser, stack: Stack) -> None:
    plain = browser.new_context(
        base_url=stack.web_url, java_script_enabled=False, storage_state=site.page.context.storage_state()
    )
    page = plain.new_page()
    page.goto("/try/arithmetic.add/")
    page.get_by_role("button", name="Add them").click()

    expect(page.get_by_role("group", name="What it returned")).to_have_text("5", timeout=20_000)
    plain.close()


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(site: Site, path: str, theme: Literal["light", "dark"]) -> None:
    site.page.emulate_media(color_scheme=theme)
    site.page.goto(path)

    found = Axe().run(site.page).response["violations"]

    assert [f"{each['id']}: {each['help']}" for each in found] == []


@pytest.mark.parametrize("path", PAGES)
def test_a_phone_never_scrolls_sideways(site: Site, path: str) -> None:
    site.page.set_viewport_size({"width": 390, "height": 844})
    site.page.goto(path)
    expect(site.page.get_by_role("heading", level=1)).to_be_visible()

    assert site.sideways_px() == 0
