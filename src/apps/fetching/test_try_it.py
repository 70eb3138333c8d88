"""Fetching tried in the browser."""

from typing import Any

import pytest
from django.test import Client

from apps.fetching.tasks import fetch_urls
from warren.delivery.models import Job
from warren.delivery.states import State
from warren.jobs.conftest import MakeJob
from warren.try_it import conftest as try_it

pytestmark = pytest.mark.django_db

PATH = "/try/fetching.fetch_urls/"
_site, browser, make_job = try_it._site, try_it.browser, try_it.make_job


def test_addresses_are_given_one_a_line(browser: Client) -> None:
    answer: Any = browser.post(PATH, {"urls": "https://example.com/\n\nhttps://example.org/"})

    assert answer.status_code == 302
    assert Job.objects.get().kwargs == {"urls": ["https://example.com/", "https://example.org/"]}


def test_a_bad_one_is_named_by_its_line(browser: Client) -> None:
    page = browser.post(PATH, {"urls": "https://example.com/\nftp://example.org/"}).content.decode()

    assert "Line 2: &#x27;ftp://example.org/&#x27; is not an http or https address." in page


def test_what_came_back_is_a_table(browser: Client, make_job: MakeJob) -> None:
    answers = [
        {"url": "https://a.example/", "status": 200, "bytes": 1256, "truncated": False, "elapsed_ms": 80},
        {"url": "https://<b>.example/", "error": "no such host"},
    ]
    job = make_job(State.SUCCEEDED, task=fetch_urls.name, result=fetch_urls.backend.encode(answers))

    page = browser.get(f"{PATH}{job.pk}/").content.decode()

    assert "<span>1256</span>" in page
    assert "https://&lt;b&gt;.example/" in page
    assert '<span class="error">no such host</span>' in page
