"""A worker's clock, wrong or right, does not decide what has expired; for what has no row it must."""

from typing import Any

import pytest
from celery import Celery

from warren.delivery import losable, ownership
from warren.delivery.request import JobRequest

LONG_AGO = "2020-01-01T00:00:00+00:00"


class Message:
    """What a request needs of kombu's message."""

    body: Any = ([], {}, {})
    content_type, content_encoding = "application/json", "utf-8"

    def __init__(self, **headers: Any) -> None:
        self.delivery_info: dict[str, Any] = {}
        self.properties: dict[str, Any] = {}
        self.headers = {"id": "a", "task": "celery.ping", "expires": LONG_AGO, **headers}


@pytest.mark.parametrize(
    ("headers", "expired"),
    [
        ({ownership.HEADER: None}, False),
        ({ownership.HEADER: 7}, False),
        ({}, True),
        ({ownership.HEADER: None, losable.HEADER: True}, True),
    ],
)
def test_it_leaves_the_expiry_to_the_claim_when_there_is_a_job(
    app: Celery,
    headers: dict[str, Any],
    expired: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    request = JobRequest(Message(**headers), app=app, task=app.tasks["celery.backend_cleanup"], decoded=True)

    assert bool(request.maybe_expire()) == expired
