"""What may be passed to the task from outside."""

from typing import Any

import httpx
from rest_framework import serializers

from warren.jobs.fields import TextField

MAX_URLS = 50
MAX_URL_CHARS = 2000


def refuse_other_schemes(value: str) -> None:
    """Let http and https addresses with a host pass. Whether the host is public shows when it is looked up."""
    try:
        url = httpx.URL(value)
    except httpx.InvalidURL as exc:
        raise serializers.ValidationError(f"{value!r} is not an address: {exc}") from exc
    if url.scheme not in ("http", "https") or not url.host:
        raise serializers.ValidationError(f"{value!r} is not an http or https address.")


class FetchingArguments(serializers.Serializer[Any]):
    """Addresses to fetch."""

    urls = serializers.ListField(
        child=TextField(max_length=MAX_URL_CHARS, validators=[refuse_other_schemes]),
        min_length=1,
        max_length=MAX_URLS,
        help_text="Public http and https addresses.",
    )
