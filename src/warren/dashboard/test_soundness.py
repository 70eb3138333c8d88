"""What must hold of every page's HTML: nothing inline that the content policy forbids, and what axe would ask for.

The browser tests ask axe itself; this is quick, and says so at the first run.
"""

from collections import Counter
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from warren.delivery import history
from warren.delivery.models import OutboxMessage
from warren.delivery.states import State
from warren.jobs.conftest import MakeJob

pytestmark = pytest.mark.django_db

PAGES = (
    "/overview/",
    "/jobs/",
    "/jobs/?state=nonsense",
    "/jobs/bad/",
    "/jobs/part/",
    "/jobs/nowhere/",
    "/bulk/retry/",
    "/bulk/cancel/?state=failed",
    "/schedules/",
    "/dead-letters/",
)
NAMELESS = {"hidden", "submit"}


class _Reading(HTMLParser):
    """Collects what a test asks about."""

    def __init__(self) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.ids: Counter[str] = Counter()
        self.referred: set[str] = set()
        self.labelled: set[str] = set()
        self.fields: list[dict[str, Any]] = []
        self.tags: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags[tag] += 1
        self.inline += [f"{tag} {name}" for name in given if name == "style" or name.startswith("on")]
        if (tag == "script" and "src" not in given) or tag == "style":
            self.inline.append(tag)
        if name := given.get("id"):
            self.ids[name] += 1
        for name in ("aria-labelledby", "aria-describedby"):
            self.referred.update((given.get(name) or "").split())
        if tag == "label":
            self.labelled.add(given.get("for") or "")
        if tag in {"input", "select", "textarea"} and given.get("type") not in NAMELESS:
            self.fields.append(given)


@pytest.fixture
def _something_to_show(make_job: MakeJob) -> None:
    failure = '{"exc_type": "ValueError", "exc_message": ["no"]}'
    make_job(State.FAILED, id="bad", result=failure, traceback="Traceback", message='{"embed": {}}')
    history.record(["bad"], kind=history.ATTEMPT_FAILED)
    make_job(State.DEAD, id="lost", message='{"embed": {}}')
    make_job(State.SUCCEEDED, id="whole", root_id="whole")
    make_job(
        State.RUNNING, id="part", root_id="whole", parent_id="whole", progress='{"state": "P", "meta": {"percent": 5}}'
    )
    OutboxMessage.objects.create(job=make_job(), failures=1, last_error="NOT_FOUND")


def _read(client: Client, path: str) -> _Reading:
    reading = _Reading()
    reading.feed(client.get(path).content.decode())
    return reading


@pytest.mark.usefixtures("_something_to_show")
@pytest.mark.parametrize("path", PAGES)
def test_it_holds(staff_member: Client, path: str) -> None:
    page = _read(staff_member, path)

    assert page.inline == []
    assert [name for name, times in page.ids.items() if times > 1] == []
    assert page.referred - page.ids.keys() == set()
    assert (page.tags["h1"], page.tags["main"]) == (1, 1)
    nameless = [each for each in page.fields if each.get("id") not in page.labelled and not each.get("aria-label")]
    assert nameless == []


def test_the_login_holds_too(client: Client) -> None:
    page = _read(client, "/login/")

    assert (page.inline, page.tags["h1"], len(page.fields)) == ([], 1, 2)
    assert {each["id"] for each in page.fields} <= page.labelled
