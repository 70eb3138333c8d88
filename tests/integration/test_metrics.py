"""What each kind of process counts, and that nobody outside can ask."""

from collections.abc import Callable
from functools import partial

import httpx
import pytest

from tests.stack import metrics, waiting
from tests.stack.api import Api
from tests.stack.stack import CommandFailedError, Stack

KINDS = ("web", "worker-cpu", "worker-io", "beat", "relay")
WITHIN_S = 20
FOLDER = "/run/warren/metrics"

_KILL_CHILDREN = """
import contextlib, os, pathlib, signal
for status in pathlib.Path("/proc").glob("[0-9]*/status"):
    with contextlib.suppress(OSError):  # it is gone meanwhile
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        if fields["PPid"].strip() == "1":
            os.kill(int(fields["Pid"]), signal.SIGKILL)
"""


def _grown(stack: Stack, service: str, before: metrics.Samples, name: str, **labels: str) -> float:
    return metrics.value(metrics.of(stack, service), name, **labels) - metrics.value(before, name, **labels)


def _has_grown(count: Callable[[], float]) -> bool:
    return count() >= 1  # the schedule's jobs pass as well


@pytest.mark.parametrize("queue", ["cpu", "io"])
def test_a_job_is_counted_in_every_process_that_it_passes(stack: Stack, member: Api, queue: str) -> None:
    task, worker = f"probe.{queue}.noop", f"worker-{queue}"
    before = {service: metrics.of(stack, service) for service in ("web", "relay", worker)}

    member.wait(member.submit(task))

    for service, name, labels in (
        ("web", "warren_jobs_total", {"task": task, "queue": queue, "state": "accepted"}),
        ("relay", "warren_jobs_total", {"task": task, "queue": queue, "state": "queued"}),
        ("relay", "warren_relay_lag_seconds_count", {"queue": queue}),
        (worker, "warren_jobs_total", {"task": task, "queue": queue, "state": "succeeded"}),
        (worker, "warren_job_attempts_total", {"task": task, "queue": queue}),
        (worker, "warren_job_run_seconds_count", {"task": task, "queue": queue}),
        (worker, "warren_job_wait_seconds_count", {"queue": queue}),
    ):
        counted = partial(_grown, stack, service, before[service], name, **labels)
        waiting.until(partial(_has_grown, counted), within_s=WITHIN_S, what=f"{service} tells more of {name}")


@pytest.mark.parametrize("service", KINDS)
def test_a_process_tells_of_itself(stack: Stack, member: Api, service: str) -> None:
    member.wait(member.submit("probe.io.noop"))  # before the first query there is no pool
    expected = {
        "web": "warren_db_pool_size",
        "worker-cpu": "warren_worker_places",
        "worker-io": "warren_db_pool_size",
        "beat": "warren_beat_leads",
        "relay": "warren_relay_passed_timestamp_seconds",
    }

    waiting.until(
        lambda: metrics.value(metrics.of(stack, service), expected[service]) > 0,
        within_s=WITHIN_S,
        what=f"{service} tells {expected[service]}",
    )


def test_the_figures_of_the_database_are_told_by_the_relay_alone(stack: Stack) -> None:
    figure: tuple[str, frozenset[tuple[str, str]]] = ("warren_outbox_oldest_seconds", frozenset())

    tellers = {service for service in KINDS if figure in metrics.of(stack, service)}

    assert tellers == {"relay"}
    waiting.until(
        lambda: metrics.value(metrics.of(stack, "relay"), "warren_queue_workers", queue="cpu") == 1,
        within_s=WITHIN_S,
        what="it knows of the worker",
    )


def test_what_killed_children_have_counted_stays_and_their_files_go(stack: Stack, member: Api) -> None:
    labels = {"task": "probe.cpu.noop", "queue": "cpu", "state": "succeeded"}
    member.wait(member.submit("probe.cpu.noop"))
    before = metrics.of(stack, "worker-cpu")
    files = len(stack.execute("worker-cpu", "ls", FOLDER).split())

    for _ in range(3):
        stack.execute("worker-cpu", "python", "-c", _KILL_CHILDREN)
        member.wait(member.submit("probe.cpu.noop"), within_s=60)

    waiting.until(
        lambda: _grown(stack, "worker-cpu", before, "warren_jobs_total", **labels) == 3,
        within_s=WITHIN_S,
        what="all three are counted",
    )
    assert len(stack.execute("worker-cpu", "ls", FOLDER).split()) <= files + 4


def test_nobody_can_ask_through_the_port_of_web(stack: Stack) -> None:
    assert httpx.get(f"{stack.web_url}/metrics", timeout=10).status_code == httpx.codes.NOT_FOUND


def test_the_port_is_published_by_no_container(stack: Stack) -> None:
    published = [
        port for each in stack.containers() for port in stack.inspect(each)["HostConfig"]["PortBindings"] or {}
    ]

    assert published
    assert not [port for port in published if port.startswith(f"{metrics.PORT}/")]


@pytest.mark.parametrize(
    ("service", "port", "said"),
    [
        ("web", "8000", "METRICS_PORT=8000 is taken"),
        ("web", "70000", "METRICS_PORT=70000: a port is 1 to 65535"),
        ("relay", "70000", "METRICS_PORT=70000: a port is 1 to 65535"),
        ("beat", "many", 'Environment variable "METRICS_PORT" invalid'),
        ("worker-cpu", "-1", "METRICS_PORT=-1: a port is 1 to 65535"),
        ("worker-io", "99999", "METRICS_PORT=99999: a port is 1 to 65535"),
    ],
)
def test_a_process_that_cannot_serve_does_not_start_and_says_why(
    stack: Stack, service: str, port: str, said: str
) -> None:
    with pytest.raises(CommandFailedError, match=said):
        stack.compose("run", "--rm", "--no-deps", "--no-TTY", "--env", f"METRICS_PORT={port}", service)
