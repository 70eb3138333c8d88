"""SIGTERM to a worker: what is short is finished, what is long is handed back, and nothing is lost."""

import time
from collections.abc import Iterator

import pytest

from tests.integration import waiting
from tests.integration.api import Api
from tests.integration.stack import WORKERS, Stack

GRACE_S = 45  # compose's stop_grace_period; SIGKILL comes after it
SOFT_S = 6  # WORKER_SOFT_SHUTDOWN_S of tests/integration/environment.py
SHORT_S, LONG_S = 3, 14
KILLED = 137


@pytest.fixture
def _started_again(stack: Stack) -> Iterator[None]:
    yield
    stack.up(*WORKERS)


@pytest.mark.usefixtures("_started_again")
def test_a_stopped_worker_finishes_short_tasks_and_hands_back_long_ones(stack: Stack, member: Api) -> None:
    short = [member.submit(f"probe.{queue}.sleep", kwargs={"seconds": SHORT_S}) for queue in ("cpu", "io")]
    long = [member.submit(f"probe.{queue}.sleep", kwargs={"seconds": LONG_S}) for queue in ("cpu", "io")]
    behind = [member.submit(f"probe.{queue}.echo", args=["later"]) for queue in ("cpu", "io") for _ in range(10)]
    for job_id in [*short, *long]:
        member.wait(job_id, states=("running",))

    started = time.monotonic()
    stack.compose("stop", *WORKERS)
    took_s = time.monotonic() - started

    ended = {service: stack.container(service) for service in WORKERS}
    assert took_s < GRACE_S
    assert {service: each.ExitCode for service, each in ended.items() if each.ExitCode == KILLED} == {}
    assert [(member.job(job_id)["state"], member.job(job_id)["attempt"]) for job_id in short] == [("succeeded", 1)] * 2
    assert not {member.job(job_id)["state"] for job_id in long} & {"succeeded", "failed", "dead", "cancelled"}

    stack.up(*WORKERS)
    jobs = [member.wait(job_id, within_s=LONG_S + 30) for job_id in long]
    assert [(job["state"], job["attempt"], job["result"]) for job in jobs] == [("succeeded", 2, LONG_S)] * 2
    assert {member.wait(job_id)["result"] for job_id in behind} == {"later"}


def test_a_restart_under_load_loses_nothing_and_repeats_no_finished_job(stack: Stack, member: Api) -> None:
    ids = [member.submit(f"probe.{queue}.sleep", kwargs={"seconds": 0.2}) for _ in range(60) for queue in ("cpu", "io")]
    waiting.until(lambda: member.job(ids[5])["state"] == "succeeded", within_s=20, what="the first jobs are done")

    stack.compose("restart", *WORKERS)

    jobs = [member.wait(job_id, within_s=60) for job_id in ids]
    assert {job["state"] for job in jobs} == {"succeeded"}
    assert {job["result"] for job in jobs} == {0.2}
    stack.up(*WORKERS)
