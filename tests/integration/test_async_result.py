"""Celery's own interface from Django code, in the web container: what the guide teaches works as it teaches."""

from typing import Any

import pytest

from tests.stack import django_code
from tests.stack.api import Api
from tests.stack.stack import Stack


@pytest.fixture
def call(stack: Stack) -> Any:
    """Calls a function of the probe app's `by_code` inside the web container."""

    def run(function: str) -> Any:
        return django_code.run(stack, f"from apps.probe import by_code\nanswer = by_code.{function}()")

    return run


def test_a_result_offers_all_that_the_guide_lists(call: Any) -> None:
    assert call("delayed") == {
        "got": 5,
        "state": "SUCCESS",
        "status": "SUCCESS",
        "result": 5,
        "ready": True,
        "successful": True,
        "failed": False,
        "same": True,
    }


def test_a_failure_is_raised_again_by_get(call: Any) -> None:
    told = call("failing")

    assert "ValueError: no luck" in told.pop("traceback")
    assert told == {"raised": "no luck", "state": "FAILURE", "successful": False, "failed": True}


def test_a_result_that_is_not_there_yet_is_pending_and_get_gives_up(call: Any) -> None:
    assert call("waiting") == {"raised": "TimeoutError", "state": "PENDING", "ready": False}


def test_chain_group_and_chord_run_across_both_queues(call: Any) -> None:
    assert call("canvas") == {
        "chain": 113,
        "chain's first": 3,
        "group": [0, 2, 4, 6, 8, "io"],
        "group restored": [0, 2, 4, 6, 8, "io"],
        "group done": 6,
        "chord": 6,
    }


def test_a_retried_task_is_one_job_with_more_attempts(call: Any, admin: Api) -> None:
    told = call("retried")

    assert told["got"] == 3
    assert (admin.job(told["id"])["attempt"], admin.job(told["id"])["state"]) == (3, "succeeded")


def test_a_job_of_a_transaction_that_failed_was_never_accepted(call: Any, admin: Api) -> None:
    assert admin.get(f"/api/jobs/{call('rolled_back')}/").status_code == 404


def test_get_wakes_long_before_half_a_second_has_passed(call: Any) -> None:
    assert call("round_trip_s") < 0.4
