"""The example page at /follow/."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from warren.jobs.live import page

pytestmark = pytest.mark.django_db
EXAMPLES = Path(__file__).parents[4] / "docs/examples"


@pytest.fixture
def browser(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_it_asks_for_a_login() -> None:
    answer = Client().get("/follow/?job=x")

    assert answer.status_code == 302
    assert answer["Location"].endswith("/login/?next=/follow/%3Fjob%3Dx")


def test_it_runs_its_own_files_alone_and_may_open_both_kinds_of_stream(browser: Client) -> None:
    answer = browser.get("/follow/", headers={"host": "localhost:8123"})

    rules = dict(rule.strip().split(" ", 1) for rule in answer["Content-Security-Policy"].split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["connect-src"] == "'self' ws://localhost:8123"
    assert "style=" not in answer.text
    assert "onclick" not in answer.text


def test_it_writes_what_it_was_given_as_text(browser: Client) -> None:
    answer = browser.get("/follow/", {"job": '"><script>'})

    assert '"><script>' not in answer.text
    assert "&quot;&gt;&lt;script&gt;" in answer.text


def test_its_script_is_the_example() -> None:
    served = Path(page.__file__).parents[1] / "static/jobs/follow.js"

    assert (EXAMPLES / "follow.js").read_text() == served.read_text()
