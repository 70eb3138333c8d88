"""Traces and logs of the whole stack: one trace, and the same ids, from the request to the statement in a worker."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration import own_app
from tests.stack import api, django_code, started, waiting
from tests.stack.api import Api
from tests.stack.stack import FILES, Stack

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
ASK = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:4318/spans', timeout=10).read().decode())"
OURS = ("web", "worker-cpu", "worker-io", "beat", "relay")

# code of Django's side that submits within a span; the shell traces nothing by itself
IN_A_SPAN = """
from celery import chain, chord, current_app
from warren.telemetry import tracing
tasks = current_app.tasks
tracing.start()
with tracing.span("request"):
    trace_id = tracing.ids()[0]
    made = {made}
tracing.stop()
answer = [trace_id, made.id]
"""

type Span = dict[str, Any]


@pytest.fixture(scope="module")
def traced(folder: Path) -> Iterator[Stack]:
    """A stack of its own, with a collector."""
    app = own_app.make(folder / "traced", name="billing")
    values = {
        "OWN_APP": str(app),
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
        "WORKER_CPU_CONCURRENCY": "2",
    }
    with started.stack(folder, values=values, files=[*FILES, "tests/integration/tracing.yaml"]) as stack:
        yield stack


@pytest.fixture
def somebody(traced: Stack) -> Api:
    return api.register(traced.web_url)


def _spans(stack: Stack, trace_id: str, *, expected: set[str], what: str) -> list[Span]:
    """The spans of a trace as soon as there are some of each of these names, or of names that begin so."""

    def look() -> list[Span] | None:
        found = [
            span for span in json.loads(stack.execute("collector", "python", "-c", ASK)) if span["trace_id"] == trace_id
        ]
        names = {span["name"] for span in found}
        missing = {name for name in expected if not any(each.startswith(name) for each in names)}
        return None if missing else found

    return waiting.until(look, within_s=20, what=what)


def _ancestors(span: Span, spans: list[Span]) -> list[str]:
    by_id = {each["span_id"]: each for each in spans}
    names = []
    while (parent := by_id.get(span["parent_span_id"])) is not None:
        names.append(parent["name"])
        span = parent
    return names


@pytest.mark.parametrize("queue", ["cpu", "io"], ids=["prefork", "gevent"])
def test_one_trace_leads_from_the_request_to_the_statement(traced: Stack, somebody: Api, queue: str) -> None:
    trace_id = f"{TRACE[:-2]}{'c1' if queue == 'cpu' else '10'}"
    body = {"task": f"probe.{queue}.needs", "kwargs": {"message": "nobody"}}

    answer = somebody.post("/api/jobs/", body, headers={"traceparent": f"00-{trace_id}-{CALLER}-01"})

    job_id = answer.json()["id"]
    somebody.wait(job_id)
    assert answer.headers["traceparent"].split("-")[1] == trace_id
    expected = {"POST /api/jobs/", f"create {queue}", f"send {queue}", f"process {queue}", "body", "SELECT auth_group"}
    spans = _spans(traced, trace_id, expected=expected, what="the trace is complete")
    (statement,) = [span for span in spans if span["name"] == "SELECT auth_group"]
    assert _ancestors(statement, spans) == ["body", f"process {queue}", f"create {queue}", "POST /api/jobs/"]
    (request,) = [span for span in spans if span["name"] == "POST /api/jobs/"]
    assert request["parent_span_id"] == CALLER
    (sent,) = [span for span in spans if span["name"] == f"send {queue}"]
    assert _ancestors(sent, spans)[0] == f"create {queue}"
    services = {span["name"].split()[0]: span["resource"]["service.name"] for span in spans}
    assert (services["POST"], services["send"], services["process"]) == ("web", "relay", f"worker-{queue}")
    assert "nobody" not in json.dumps(spans)


@pytest.mark.parametrize(
    ("made", "jobs"),
    [
        ("chain(tasks['probe.cpu.echo'].si('a'), tasks['probe.io.echo'].si('b')).delay()", 2),
        ("chord([tasks['probe.cpu.sleep'].s(0.1), tasks['probe.io.sleep'].s(0.1)])(tasks['probe.io.total'].s())", 3),
        ("tasks['probe.cpu.succeed_at_third'].delay()", 3),
    ],
    ids=["chain", "chord", "retries"],
)
def test_what_follows_from_a_job_is_in_its_trace(traced: Stack, made: str, jobs: int) -> None:
    trace_id, _last = django_code.run(traced, IN_A_SPAN.format(made=made))

    def complete() -> list[Span] | None:
        spans = _spans(traced, trace_id, expected={"process"}, what="the first job ran")
        return spans if len([span for span in spans if span["name"].startswith("process")]) == jobs else None

    spans = waiting.until(complete, within_s=30, what=f"{jobs} jobs or attempts ran in the trace")
    assert all(_ancestors(span, spans)[-1] == "request" for span in spans if span["name"].startswith("process"))


def test_a_batch_shows_each_of_its_jobs(traced: Stack) -> None:
    made = "[tasks['probe.cpu.noop'].delay() for _ in range(200)][-1]"

    trace_id, last = django_code.run(traced, IN_A_SPAN.format(made=made))

    def complete() -> list[Span] | None:
        spans = _spans(traced, trace_id, expected={"process", "claim", "finish"}, what="jobs ran")
        steps = [span["name"] for span in spans]
        return spans if min(steps.count(step) for step in ("process cpu", "claim", "finish")) == 200 else None

    spans = waiting.until(complete, within_s=60, what=f"200 jobs, the last {last}, ran, each with all its steps")
    assert any(
        span["attributes"].get("messaging.batch.message_count", 1) > 1 for span in spans if span["name"] == "claim"
    )


def test_the_same_ids_stand_in_every_log(traced: Stack, somebody: Api) -> None:
    answer = somebody.post(
        "/api/jobs/",
        {"task": "probe.cpu.fail", "kwargs": {"message": "broken"}},
        headers={"X-Request-ID": "edge-42"},
    )
    somebody.wait(answer.json()["id"])

    def told(service: str) -> list[dict[str, Any]]:
        return [line for line in _lines(traced, service) if line.get("request_id") == "edge-42"]

    assert answer.headers["X-Request-ID"] == "edge-42"
    (access,) = [line for line in told("web") if line["logger"] == "gunicorn.access"]
    assert (access["method"], access["path"], access["status"]) == ("POST", "/api/jobs/", 202)
    (failed,) = [line for line in told("worker-cpu") if line["level"] == "error"]
    assert (failed["job_id"], failed["task"]) == (answer.json()["id"], "probe.cpu.fail")
    assert (failed["queue"], failed["attempt"], failed["service"]) == ("cpu", 1, "worker-cpu")
    assert "ValueError: broken" in failed["traceback"]
    assert failed["trace_id"] == access["trace_id"]


def test_every_line_of_every_service_is_one_object(traced: Stack) -> None:
    for service in OURS:
        lines = _lines(traced, service)
        assert {line["service"] for line in lines} <= {service}
        assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)


def test_a_child_that_is_replaced_sends_what_it_has_first(traced: Stack) -> None:
    traced.change({"WORKER_MAX_TASKS_PER_CHILD": "1"})
    made = "[tasks['probe.cpu.sleep'].delay(0.05) for _ in range(10)][-1]"

    trace_id, last = django_code.run(traced, IN_A_SPAN.format(made=made))

    def complete() -> bool:
        spans = _spans(traced, trace_id, expected={"process"}, what="a job ran")
        return len([span for span in spans if span["name"] == "process cpu"]) == 10

    waiting.until(complete, within_s=60, what=f"10 jobs, the last {last}, ran, and nothing of them is lost")
    traced.change({})


def test_jobs_go_on_without_the_collector_and_the_drops_are_told(traced: Stack, somebody: Api) -> None:
    with traced.stopped("collector"):
        ids = [somebody.submit(f"probe.{queue}.echo", args=["on"]) for queue in ("cpu", "io") for _ in range(20)]

        jobs = [somebody.wait(job_id, within_s=15) for job_id in ids]
        waiting.until(
            lambda: [line for line in _lines(traced, "worker-io") if "spans were dropped" in line["message"]],
            within_s=40,
            what="worker-io tells that spans were dropped",
        )

    assert {job["state"] for job in jobs} == {"succeeded"}
    assert all(traced.is_healthy(service) for service in OURS)


def _lines(stack: Stack, service: str) -> list[dict[str, Any]]:
    """What a service has logged. Raises `AssertionError`, with the line, if one is no object."""
    lines = []
    for line in stack.logs(service).splitlines():
        try:
            lines.append(dict(json.loads(line)))
        except ValueError as exc:
            raise AssertionError(f"{service} wrote {line!r}") from exc
    return lines
