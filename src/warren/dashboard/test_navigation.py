"""The navigation, and what other apps add to it."""

import pytest
from django.test import Client

from warren.dashboard import navigation
from warren.dashboard.conftest import text


@pytest.fixture(autouse=True)
def _own_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(navigation, "_items", dict(navigation._items))


def test_it_is_in_order_and_hides_what_is_for_the_staff() -> None:
    navigation.add("Reports", url_name="job-list-of-reports")
    navigation.add("Secrets", url_name="secrets", staff_only=True)

    labels = {is_staff: [item.label for item in navigation.items(is_staff=is_staff)] for is_staff in (False, True)}

    assert labels[False] == ["Overview", "Jobs", "Try it", "Dead letters", "Reports"]
    assert labels[True] == ["Overview", "Jobs", "Try it", "Schedules", "Dead letters", "Reports", "Secrets"]


@pytest.mark.django_db
def test_a_page_shows_an_added_item_and_marks_itself(member: Client) -> None:
    navigation.add("API", url_name="docs")

    page = text(member, "/jobs/")

    assert '<a href="/api/docs/">API</a>' in page
    assert '<a href="/jobs/" aria-current="page">Jobs</a>' in page
