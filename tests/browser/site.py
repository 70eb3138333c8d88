"""The dashboard as a person uses it: by what stands on buttons, links and fields."""

from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect


@dataclass(frozen=True)
class Site:
    """An open window on it; `reports` is where pictures go."""

    page: Page
    reports: Path

    def log_in(self, *, email: str, password: str) -> None:
        """From the login page to the overview."""
        self.page.goto("/login/")
        self.fill_in_login(email=email, password=password)

    def fill_in_login(self, *, email: str, password: str) -> None:
        """From the login page, which is open, to the overview."""
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Log in").click()
        expect(self.heading("Overview")).to_be_visible()

    def open(self, label: str) -> None:
        """Go to a page by the navigation."""
        self.page.get_by_role("navigation", name="Pages", exact=True).get_by_role("link", name=label).click()
        expect(self.heading(label)).to_be_visible()

    def open_job(self, job_id: str, *, state: str | None = None) -> None:
        """Go to a job's page; with a state, wait until it shows that one."""
        self.page.goto(f"/jobs/{job_id}/")
        if state:
            self.expect_state(state)

    def expect_state(self, state: str) -> None:
        """The job's page shows this state, by itself."""
        expect(self.page.locator("#state")).to_have_text(state)

    def heading(self, text: str) -> Locator:
        return self.page.get_by_role("heading", level=1, name=text)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def message(self, text: str) -> Locator:
        """What the last step left on the page."""
        return self.page.get_by_role("list", name="Messages").get_by_text(text)

    def card(self, title: str) -> Locator:
        """A part of the page."""
        return self.page.get_by_role("region", name=title, exact=True)

    def picture(self, name: str, *, whole: bool = False) -> None:
        """Keep what the window shows; names that begin with `readme-` go to the README."""
        self.page.screenshot(path=self.reports / f"{name}.png", full_page=whole, animations="disabled")

    def sideways_px(self) -> int:
        """How far the page can be scrolled sideways, which should be not at all."""
        moved: int = self.page.evaluate("() => { scrollTo(1000, 0); return scrollX; }")
        return moved
