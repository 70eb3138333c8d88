"""Every page for everybody: on a phone, in both themes, by the rules of WCAG."""

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ViewportSize, expect

from tests.browser import work
from tests.browser.site import Site
from tests.stack.api import Api
from tests.stack.stack import Stack

PHONE: ViewportSize = {"width": 390, "height": 844}
PAGES = ("/overview/", "/jobs/", "/jobs/?state=failed", "/jobs/?search=nowhere", "/schedules/", "/dead-letters/")
OTHERS = ("/follow/", pytest.param("/nowhere/", marks=pytest.mark.troubled))  # the console tells of a 404
PAGES_OF_JOBS = ("failed", "chained", "dead", "tried", "tried in vain")
BULK = ("/bulk/retry/", "/bulk/cancel/")


@pytest.fixture(scope="module")
def job_pages(stack: Stack, admin: Api) -> dict[str, str]:
    """Pages of jobs that show what there is to show."""
    first, _, third = work.chained(stack, seconds=0.1)
    admin.wait(third)
    found = {"failed": work.failing(admin)[0], "chained": first, "dead": work.dead(stack, admin)}
    pages = {name: f"/jobs/{job_id}/" for name, job_id in found.items()}
    for name, task, second in (("tried", "arithmetic.add", 3), ("tried in vain", "arithmetic.divide", 0)):
        job_id = admin.submit(task, kwargs={"num1": 2, "num2": second})
        admin.wait(job_id, states=("succeeded", "failed"))
        pages[name] = f"/try/{task}/{job_id}/"
    return pages


def _open_everything(site: Site) -> None:
    for details in site.page.locator("details").all():
        details.evaluate("details => details.open = true")


@pytest.mark.parametrize("path", [*PAGES, *OTHERS, *PAGES_OF_JOBS, *BULK])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.troubled
def test_axe_finds_nothing(site: Site, job_pages: dict[str, str], path: str, theme: Literal["light", "dark"]) -> None:
    site.page.emulate_media(color_scheme=theme)
    site.page.goto(job_pages.get(path, path))
    _open_everything(site)

    found = Axe().run(site.page)

    told = [
        f"{each['id']}: {each['help']}: {[node['target'] for node in each['nodes']]}"
        for each in found.response["violations"]
    ]
    assert told == []


@pytest.mark.parametrize("path", [*PAGES, *OTHERS, *PAGES_OF_JOBS, *BULK])
def test_a_phone_never_scrolls_a_page_sideways(site: Site, job_pages: dict[str, str], path: str) -> None:
    site.page.set_viewport_size(PHONE)
    site.page.goto(job_pages.get(path, path))
    _open_everything(site)
    expect(site.page.get_by_role("heading", level=1)).to_be_visible()

    name = path.strip("/").replace("/", "-").replace("?", "-").replace("=", "-").replace(" ", "-")
    site.picture(f"phone-{name}", whole=True)

    assert site.sideways_px() == 0


@pytest.mark.troubled
def test_the_login_is_for_everybody_too(site: Site) -> None:
    site.button("Log out").click()
    expect(site.heading("Log in")).to_be_visible()
    site.page.set_viewport_size(PHONE)

    assert Axe().run(site.page).violations_count == 0
    assert site.sideways_px() == 0
