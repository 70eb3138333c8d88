"""A task message as it came to a worker."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Arrival(NamedTuple):
    """Its id, which the relay gave it, "" if it has none; and whether the broker had handed it out before."""

    message_id: str
    redelivered: bool


def of(request: Mapping[str, Any]) -> Arrival:
    """By what Celery puts into a request: `vars()` of a task's, or that which a worker sends to its pool."""
    properties, delivery_info = request.get("properties") or {}, request.get("delivery_info") or {}
    return Arrival(str(properties.get("message_id") or ""), redelivered=bool(delivery_info.get("redelivered")))
