"""Fetching waits for others, so it is done on io."""

from typing import Any

from celery import shared_task
from django.conf import settings

from apps.fetching import fetch
from apps.fetching.serializers import FetchingArguments


@shared_task(queue="io", arguments=FetchingArguments)  # type: ignore[call-overload, untyped-decorator]  # arguments= is ours
def fetch_urls(urls: list[str]) -> list[dict[str, Any]]:
    """Fetch public web addresses, all at once."""
    return fetch.fetch_all(urls, allow_private=settings.FETCH_ALLOW_PRIVATE)
