"""SIGTERM to a worker: what is short is finished, what is long is handed back, and nothing is lost."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration import pools
from tests.stack import waiting
from tests.stack.api import Api
from tests.stack.stack import WORKERS, Stack

# WORKER_SOFT_SHUTDOWN_S (6) and WORKER_STOP_GRACE (20) of tests/stack/environment.py are between these
SHORT_S, LONG_S = 3, 24
KILLED = 137  # by SIGKILL, after the grace period

in_pools = pytest.mark.parametrize(
    "courses",
    [
        pytest.param(pools.PREFORK_AND_GEVENT, id="prefork-gevent"),
        pytest.param(
            pools.THREADS_AND_EVENTLET,
            id="threads-eventlet",
            marks=pytest.mark.settings(**pools.THREADS_AND_EVENTLET),
        ),
    ],
    indirect=True,
)


@dataclass(frozen=True, kw_only=True)
class Course:
    """How one worker ended, and its jobs: when it had ended, and after it was started again."""

    exit_code: int | None
    short_then: dict[str, Any]
    long_then: dict[str, Any]
    long_later: dict[str, Any]
    waited_later: list[dict[str, Any]]


@pytest.fixture(scope="module")
def courses(shared_stack: Stack, _member: Api, request: pytest.FixtureRequest) -> dict[str, Course]:
    """Both workers, with the given pools, stopped at once amid work and started again."""
    stack, member = shared_stack, _member
    stack.change(request.param)
    queues = [service.removeprefix("worker-") for service in WORKERS]
    short = {queue: member.submit(f"probe.{queue}.sleep", kwargs={"seconds": SHORT_S}) for queue in queues}
    long = {queue: member.submit(f"probe.{queue}.sleep", kwargs={"seconds": LONG_S}) for queue in queues}
    waited = {queue: [member.submit(f"probe.{queue}.echo", args=["later"]) for _ in range(10)] for queue in queues}
    for job_id in [*short.values(), *long.values()]:
        member.wait(job_id, states=("running",))
    stack.compose("stop", *WORKERS)
    exit_codes = {queue: stack.container(f"worker-{queue}").ExitCode for queue in queues}
    short_then = {queue: member.job(short[queue]) for queue in queues}
    long_then = {queue: member.job(long[queue]) for queue in queues}
    stack.up(*WORKERS)
    return {
        queue: Course(
            exit_code=exit_codes[queue],
            short_then=short_then[queue],
            long_then=long_then[queue],
            long_later=member.wait(long[queue], within_s=LONG_S + 30),
            waited_later=[member.wait(job_id) for job_id in waited[queue]],
        )
        for queue in queues
    }


@in_pools
@pytest.mark.parametrize("queue", ["cpu", "io"])
def test_a_worker_ends_within_its_grace_period(courses: dict[str, Course], queue: str) -> None:
    assert courses[queue].exit_code != KILLED


@in_pools
@pytest.mark.parametrize("queue", ["cpu", "io"])
def test_what_is_short_is_finished_before_the_end(courses: dict[str, Course], queue: str) -> None:
    job = courses[queue].short_then

    assert (job["state"], job["attempt"], job["result"]) == ("succeeded", 1, SHORT_S)


@in_pools
@pytest.mark.parametrize("queue", ["cpu", "io"])
def test_what_is_long_is_handed_back_and_finished_as_the_same_job(courses: dict[str, Course], queue: str) -> None:
    then, later = courses[queue].long_then, courses[queue].long_later

    assert (then["finished_at"], then["result"]) == (None, None)
    assert (later["state"], later["attempt"], later["result"]) == ("succeeded", 2, LONG_S)


@in_pools
@pytest.mark.parametrize("queue", ["cpu", "io"])
def test_what_had_not_begun_runs_later(courses: dict[str, Course], queue: str) -> None:
    assert {(job["state"], job["result"]) for job in courses[queue].waited_later} == {("succeeded", "later")}


def test_a_restart_under_load_loses_nothing(stack: Stack, member: Api) -> None:
    ids = [member.submit(f"probe.{queue}.sleep", kwargs={"seconds": 0.2}) for _ in range(60) for queue in ("cpu", "io")]
    waiting.until(lambda: member.job(ids[5])["state"] == "succeeded", within_s=20, what="the first jobs are done")

    stack.compose("restart", *WORKERS)

    jobs = [member.wait(job_id, within_s=60) for job_id in ids]
    assert {(job["state"], job["result"]) for job in jobs} == {("succeeded", 0.2)}
    stack.up(*WORKERS)
