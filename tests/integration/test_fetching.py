"""Fetching addresses for users: not those inside the network, unless the operator allows it."""

import httpx
import pytest

from tests.integration import pools
from tests.stack.api import Api

INSIDE = [
    "http://web:8000/livez",
    "http://rabbitmq:15672/",
    "http://postgres:5432/",
    "http://127.0.0.1:8000/",
    "http://[::1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/",
    "http://0x7f000001/",
]


def test_addresses_inside_the_network_are_refused(member: Api) -> None:
    answers = _fetch(member, INSIDE)

    assert [answer["url"] for answer in answers] == INSIDE
    assert [answer for answer in answers if "status" in answer or "error" not in answer] == []
    for answer in answers[:3]:
        assert "no public address" in str(answer["error"])


@pytest.mark.parametrize("urls", [[], ["ftp://example.org/"], ["file:///etc/passwd"], "http://example.org/", [5]])
def test_what_is_no_list_of_web_addresses_is_refused(member: Api, urls: object) -> None:
    answer = member.post("/api/fetch/", {"urls": urls})

    assert answer.status_code == httpx.codes.BAD_REQUEST


@pytest.mark.settings(**pools.THREADS_AND_EVENTLET)
def test_many_addresses_are_fetched_at_once_where_they_are_allowed(member: Api) -> None:
    good, missing, closed = "http://web:8000/livez", "http://web:8000/no-such-page", "http://web:9/"

    answers = _fetch(member, [good] * 20 + [missing, closed])

    assert [answer["status"] for answer in answers[:21]] == [200] * 20 + [404]
    assert answers[0]["bytes"] == len("ok\n")
    assert "error" in answers[21]


def _fetch(member: Api, urls: list[str]) -> list[dict[str, object]]:
    accepted = member.post("/api/fetch/", {"urls": urls})
    assert accepted.status_code == httpx.codes.ACCEPTED, accepted.text
    answers = member.result(accepted.json()["task_id"], within_s=60)["result"]
    return list(answers)
