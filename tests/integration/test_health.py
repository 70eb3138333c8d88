"""What stops working is noticed, and what is not at fault stays healthy. The faults are real."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.integration import workers
from tests.stack import waiting
from tests.stack.api import Api
from tests.stack.stack import WORKERS, Stack

# 30 s, and one interval of the engine's health check, because a fault may fall just after a check
NOTICED_WITHIN_S = 30 + 5
RECOVERED_WITHIN_S = 30
SPIN_S = 50  # longer than it may take to notice


@dataclass(frozen=True, kw_only=True)
class Course:
    """When, in seconds after the fault and after its end, each service was seen unhealthy and healthy again."""

    noticed_s: dict[str, float]
    recovered_s: dict[str, float]


@pytest.fixture(scope="module")
def course(shared_stack: Stack, _member: Api) -> Iterator[Course]:
    """Three faults at once, since each takes half a minute: no consumer, a blocked green loop, a clock that stands."""
    stack = shared_stack
    stack.change({})
    workers.control(stack, command="cancel_consumer", worker="cpu")
    spinning = _member.submit("probe.io.spin", kwargs={"seconds": SPIN_S})
    _member.wait(spinning, states=("running",))
    stack.signal("beat", name="STOP")
    try:
        noticed = _when(stack, *WORKERS, "beat", health="unhealthy", within_s=NOTICED_WITHIN_S + 15)
    finally:
        stack.signal("beat", name="CONT")
        workers.control(stack, command="add_consumer", worker="cpu")
    assert _member.wait(spinning, within_s=SPIN_S)["state"] == "succeeded"
    recovered = _when(stack, *WORKERS, "beat", health="healthy", within_s=RECOVERED_WITHIN_S + 15)
    yield Course(noticed_s=noticed, recovered_s=recovered)
    stack.up(*WORKERS, "beat")


@pytest.mark.parametrize("service", ["worker-cpu", "worker-io", "beat"])
def test_what_stopped_working_is_unhealthy_and_recovers(course: Course, service: str) -> None:
    """worker-cpu lost its consumer, a task blocks worker-io's green loop, and beat was stopped by a signal."""
    assert course.noticed_s[service] <= NOTICED_WITHIN_S, course
    assert course.recovered_s[service] <= RECOVERED_WITHIN_S, course


def test_without_rabbitmq_jobs_are_accepted_and_run_once_it_is_back(stack: Stack, member: Api) -> None:
    with stack.stopped("rabbitmq"):
        accepted = [member.submit(f"probe.{queue}.echo", args=["patience"]) for queue in ("cpu", "io")]
        unready = _when(stack, *WORKERS, health="unhealthy", within_s=NOTICED_WITHIN_S)
        states = {service: stack.health(service) for service in ("web", "flower", "beat", "relay")}
        alive = {service: _is_alive(stack, service) for service in WORKERS}
        ready = Api(stack.web_url).get("/readyz")
        late = [member.submit(f"probe.{queue}.echo", args=["patience"]) for queue in ("cpu", "io")]
        waiting_states = {member.job(job_id)["state"] for job_id in [*accepted, *late]}

    assert unready.keys() == set(WORKERS)
    assert states == dict.fromkeys(("web", "flower", "beat", "relay"), "healthy")
    assert alive == dict.fromkeys(WORKERS, True)
    assert ready.status_code == httpx.codes.OK
    assert waiting_states == {"accepted"}
    assert {member.wait(job_id, within_s=60)["result"] for job_id in [*accepted, *late]} == {"patience"}
    _when(stack, *WORKERS, health="healthy", within_s=RECOVERED_WITHIN_S)


def test_without_postgres_web_lives_refuses_and_recovers(stack: Stack, member: Api) -> None:
    before = member.submit("probe.io.sleep", kwargs={"seconds": 8})
    member.wait(before, states=("running",))
    visitor = Api(stack.web_url)

    with stack.stopped("postgres"):
        live, ready = visitor.get("/livez"), visitor.get("/readyz")
        refused = [member.post("/api/add-numbers/", {"num1": 1, "num2": 2}), member.post("/api/jobs/", {"task": "x"})]

    assert (live.status_code, ready.status_code) == (httpx.codes.OK, httpx.codes.SERVICE_UNAVAILABLE)
    assert ready.json()["missing"]
    assert [answer.status_code for answer in refused] == [httpx.codes.SERVICE_UNAVAILABLE] * 2
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
    waiting.until(lambda: visitor.get("/readyz").is_success, within_s=RECOVERED_WITHIN_S, what="/readyz answers 200")
    for queue in ("cpu", "io"):
        assert member.wait(member.submit(f"probe.{queue}.noop"), within_s=60)["state"] == "succeeded"
    assert member.wait(before, within_s=60)["state"] == "succeeded"
    _when(stack, *WORKERS, "web", "beat", "relay", health="healthy", within_s=60)


def _when(stack: Stack, *services: str, health: str, within_s: float) -> dict[str, float]:
    """Seconds until each service was first seen with this health, all watched together."""
    started, seen = time.monotonic(), dict[str, float]()

    def look() -> bool:
        now_s = time.monotonic() - started
        for service in set(services) - seen.keys():
            if stack.health(service) == health:
                seen[service] = now_s
        return seen.keys() == set(services)

    waiting.until(look, within_s=within_s, what=f"{', '.join(services)} are {health}")
    return seen


def _is_alive(stack: Stack, service: str) -> bool:
    """The liveness check, as an orchestrator would ask it; it raises where the answer is no."""
    stack.execute(service, "/srv/worker/healthcheck", "alive")
    return True
