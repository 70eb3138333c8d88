"""Valkey in RabbitMQ's place (compose/redis.yaml): the same promise, whatever becomes of the broker."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration import batches, own_app
from tests.stack import api, django_code, postgres, started, waiting
from tests.stack.api import Api
from tests.stack.stack import FILES, WORKERS, Stack

JOBS = 200


@pytest.fixture(scope="module")
def on_redis(folder: Path) -> Iterator[Stack]:
    """A stack of its own with the overlay."""
    app = own_app.make(folder / "on-redis", name="billing")
    with started.stack(folder, values={"OWN_APP": str(app)}, files=[*FILES, "compose/redis.yaml"]) as stack:
        yield stack


@pytest.fixture
def somebody(on_redis: Stack) -> Api:
    return api.register(on_redis.web_url)


def _given(stack: Stack) -> list[str]:
    """Batches that the broker has and no worker: to be called while the workers are stopped."""
    firsts = [batches.submit(stack, f"probe.{queue}.noop", count=JOBS) for queue in ("cpu", "io")]
    for first in firsts:
        batches.wait(stack, first, count=JOBS, state="queued")
    return firsts


def _all_succeed(stack: Stack, firsts: list[str]) -> None:
    for first in firsts:
        batches.wait(stack, first, count=JOBS, state="succeeded")


def _redis(stack: Stack, *command: str) -> str:
    return stack.execute("redis", "valkey-cli", *command, env={"REDISCLI_AUTH": stack.values["REDIS_PASSWORD"]})


def test_the_stack_runs_without_rabbitmq(on_redis: Stack, somebody: Api) -> None:
    assert "rabbitmq" not in {each.Service for each in on_redis.containers()}

    done = [somebody.submit(f"probe.{queue}.echo", args=["hello"], priority=9) for queue in ("cpu", "io")]

    assert [somebody.wait(job_id)["result"] for job_id in done] == ["hello", "hello"]


def test_many_jobs_pass(on_redis: Stack) -> None:
    _all_succeed(on_redis, [batches.submit(on_redis, f"probe.{queue}.noop", count=JOBS) for queue in ("cpu", "io")])


def test_no_job_is_lost_when_redis_is_killed_while_they_wait(on_redis: Stack) -> None:
    with on_redis.stopped(*WORKERS):
        firsts = _given(on_redis)
        on_redis.signal("redis", name="KILL")
        firsts.append(batches.submit(on_redis, "probe.cpu.noop", count=JOBS))
        on_redis.up("redis")

    _all_succeed(on_redis, firsts)


def test_no_job_is_lost_when_redis_is_killed_while_they_run(on_redis: Stack) -> None:
    firsts = [batches.submit(on_redis, f"probe.{queue}.sleep", count=JOBS, seconds=0.1) for queue in ("cpu", "io")]
    on_redis.signal("redis", name="KILL")
    on_redis.up("redis")

    _all_succeed(on_redis, firsts)


def test_a_hundred_greenlets_answer_at_once(on_redis: Stack) -> None:
    _all_succeed(on_redis, [batches.submit(on_redis, "probe.io.sleep", count=JOBS, seconds=0.1) for _ in range(5)])

    assert "MaxConnectionsError" not in on_redis.logs("worker-io")


def test_no_job_is_lost_when_redis_is_flushed(on_redis: Stack) -> None:
    with on_redis.stopped(*WORKERS):
        firsts = _given(on_redis)
        _redis(on_redis, "FLUSHALL")

    _all_succeed(on_redis, firsts)
    assert _most_sent_again(on_redis) >= 2 * JOBS


def test_no_job_is_lost_when_redis_loses_its_volume(on_redis: Stack) -> None:
    with on_redis.stopped(*WORKERS):
        firsts = _given(on_redis)
        on_redis.compose("rm", "--stop", "--force", "redis")
        on_redis.remove_volume("redis")
        firsts.append(batches.submit(on_redis, "probe.cpu.noop", count=JOBS))
        on_redis.up("redis")

    _all_succeed(on_redis, firsts)
    assert _most_sent_again(on_redis) >= 2 * JOBS


def test_a_job_waits_for_a_worker_that_hands_it_back(on_redis: Stack, somebody: Api) -> None:
    job_id = somebody.submit("probe.cpu.sleep", kwargs={"seconds": 12})
    somebody.wait(job_id, states=("running",))

    with on_redis.stopped("worker-cpu"):
        pass

    job = somebody.wait(job_id, within_s=60)
    assert (job["state"], job["attempt"]) == ("succeeded", 2)


def test_a_running_job_is_stopped_when_it_is_cancelled(on_redis: Stack, somebody: Api) -> None:
    job_id = somebody.submit("probe.cpu.sleep", kwargs={"seconds": 300})
    somebody.wait(job_id, states=("running",))

    somebody.post(f"/api/jobs/{job_id}/cancel/")

    waiting.until(lambda: not _running(on_redis), within_s=30, what="the worker has stopped it")
    assert somebody.job(job_id)["state"] == "cancelled"


def test_flower_shows_both_workers(on_redis: Stack) -> None:
    login = (on_redis.values["FLOWER_USER"], on_redis.values["FLOWER_PASSWORD"])

    def look() -> bool:
        page = Api(on_redis.flower_url).get("/workers", auth=login)
        return all(f"{service}@" in page.text for service in WORKERS)

    waiting.until(look, within_s=30, what="Flower shows both workers")


def _running(stack: Stack) -> list[str]:
    """Names of the tasks that worker-cpu runs now, as it tells over the broker."""
    active = django_code.run(stack, "from celery import current_app\nanswer = current_app.control.inspect().active()")
    (running,) = (tasks for name, tasks in active.items() if name.startswith("worker-cpu@"))
    return [task["name"] for task in running]


def _most_sent_again(stack: Stack) -> int:
    return max(map(int, re.findall(r"(\d+) jobs are sent again", stack.logs("relay"))))


def test_a_restore_takes_redis_back_too(on_redis: Stack, somebody: Api, tmp_path: Path) -> None:
    old = somebody.submit("probe.cpu.effect", args=["of before the backup"], countdown=5)
    backup = on_redis.host("backup", str(tmp_path)).strip()
    with on_redis.stopped(*WORKERS):
        gone = somebody.submit("probe.cpu.effect", args=["of after the backup"])
        somebody.wait(gone, states=("queued",))

        on_redis.host("restore", backup)

    assert somebody.wait(old)["result"] == "of before the backup"
    assert somebody.get(f"/api/jobs/{gone}/").status_code == httpx.codes.NOT_FOUND
    assert not postgres.ask(on_redis, "SELECT FROM auth_group WHERE name = 'of after the backup'")
