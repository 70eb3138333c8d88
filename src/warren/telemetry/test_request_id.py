import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client

from warren.telemetry import fields, request_id
from warren.telemetry.lines import Lines
from warren.telemetry.middleware import request_middleware


@pytest.fixture
def around() -> Iterator[str]:
    """Within a request of this id."""
    token = request_id.around.set("abc-1")
    yield "abc-1"
    request_id.around.reset(token)


def test_the_answer_has_the_id_that_came(web: Client) -> None:
    answer = web.get("/livez", headers={"X-Request-ID": "edge-7f.3:a/b=@+_"})

    assert answer["X-Request-ID"] == "edge-7f.3:a/b=@+_"


@pytest.mark.parametrize("given", [None, "", "a b", "x" * 129, "a\x1b[31m", "ä", "-x", '"', "a,b"])
def test_it_makes_an_id_when_none_came_or_what_came_is_none(given: str | None) -> None:
    made = request_id.accepted(given)

    assert made != given
    assert len(made) == 32


def test_each_request_gets_one_of_its_own(web: Client) -> None:
    assert web.get("/livez")["X-Request-ID"] != web.get("/livez")["X-Request-ID"]
    assert request_id.current() is None


def test_an_answer_of_coroutines_has_it_too() -> None:
    seen = []

    async def respond(_request: HttpRequest) -> HttpResponse:
        seen.append(request_id.current())
        return HttpResponse()

    request = HttpRequest()
    request.META["HTTP_X_REQUEST_ID"] = "abc-1"

    coroutine = request_middleware(respond)(request)
    with pytest.raises(StopIteration) as ended:
        coroutine.send(None)

    assert ended.value.value["X-Request-ID"] == "abc-1"
    assert seen == ["abc-1"]


def test_a_line_has_the_id_of_the_request(around: str) -> None:
    record = logging.LogRecord("apps.mail", logging.INFO, "", 0, "sent", (), None)

    event: dict[str, Any] = json.loads(Lines(style="json", service="web", fields=fields.current).format(record))

    assert event["request_id"] == around
    assert "job_id" not in event


@pytest.mark.parametrize("carried", [7, ["a"], "a\nb", None])
def test_what_a_foreign_message_carries_is_no_id_unless_it_looks_like_one(carried: Any) -> None:
    assert request_id.of_message({"request_id": carried}) is None
