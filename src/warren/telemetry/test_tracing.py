"""What traces cost those who do not want them, and requests."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django.test import Client

from warren.telemetry import carried, fields, tracing
from warren.telemetry.conftest import Ended, ids

SRC = Path(__file__).parents[2]
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"

# All that a job passes on its way, with nothing configured. A job takes about a millisecond.
JOBS = 2000
MOST_FOR_A_JOB_S = 0.000_05


def _imported(code: str, **env: str) -> str:
    """What of opentelemetry a process with Django's settings has imported."""
    told = "print(sorted(name for name in sys.modules if name.startswith('opentelemetry'))[:3])"
    done = subprocess.run(  # noqa: S603  our own interpreter and code
        [sys.executable, "-c", f"import sys, django; django.setup(); {code}; {told}"],
        cwd=SRC,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_nothing_of_opentelemetry_is_imported_when_nothing_is_configured() -> None:
    assert (
        _imported(
            "from warren.telemetry import tracing; tracing.start(); import warren.delivery.relay, warren.health.pulse"
        )
        == "[]"
    )


def test_it_is_imported_when_it_is_configured() -> None:
    code = "from warren.telemetry import tracing; tracing.start(); tracing.stop()"

    assert _imported(code, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9") != "[]"


def test_a_job_pays_next_to_nothing_when_nothing_is_configured() -> None:
    headers = {"id": "1", "task": "t"}

    def job() -> None:
        carried.along(headers, queue="cpu")
        for step in ("claim", "body", "finish"):
            with tracing.span(step):
                pass
        with tracing.batch({}).step("claim", ["1"]), tracing.batch({}).step("finish", ["1"]):
            pass
        tracing.cursor(object)

    begun = time.process_time()
    for _ in range(JOBS):
        job()

    assert (time.process_time() - begun) / JOBS < MOST_FOR_A_JOB_S


def test_a_process_that_is_forked_off_traces_nothing(ended: Ended) -> None:  # noqa: ARG001
    read, write = os.pipe()
    if os.fork() == 0:
        os.write(write, str(tracing.active).encode())
        os._exit(0)

    assert os.read(read, 100) == b"None"
    assert tracing.active is not None
    os.wait()


def test_a_request_goes_on_with_its_caller_s_trace_and_answers_with_its_own_span(web: Client, ended: Ended) -> None:
    answer = web.get("/api/schema/", headers={"traceparent": f"00-{TRACE}-{SPAN}-01"})

    (span,) = [each for each in ended() if each.kind.name == "SERVER"]
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == SPAN
    assert answer["traceparent"] == f"00-{TRACE}-{ids(span).span_id:016x}-01"
    assert span.name == "GET /api/schema/"
    told = dict(span.attributes or {})
    assert (told["http.response.status_code"], told["http.route"], told["url.path"]) == (
        200,
        "/api/schema/",
        "/api/schema/",
    )


@pytest.mark.django_db
def test_a_request_without_one_begins_a_trace(web: Client, ended: Ended) -> None:
    answer = web.get("/api/nothing/?token=secret")

    (span,) = [each for each in ended() if each.kind.name == "SERVER"]
    assert (span.parent, answer.status_code) == (None, 404)
    assert "secret" not in span.to_json()


def test_questions_after_our_health_are_not_traced(web: Client, ended: Ended) -> None:
    answer = web.get("/livez")

    assert "traceparent" not in answer
    assert ended() == []


def test_a_line_has_the_ids_of_its_trace(ended: Ended) -> None:
    with tracing.span("step"):
        told = fields.current()
    outside = fields.current()

    (span,) = ended()
    context = ids(span)
    assert (told["trace_id"], told["span_id"]) == (f"{context.trace_id:032x}", f"{context.span_id:016x}")
    assert outside == {}


def test_a_call_of_another_service_can_take_the_trace_along(ended: Ended) -> None:
    assert tracing.outgoing() == {}
    with tracing.span("call"):
        told = tracing.outgoing()

    assert told["traceparent"].split("-")[1] == f"{ids(ended()[0]).trace_id:032x}"


@pytest.mark.django_db
def test_a_statement_has_a_span_and_an_empty_one_has_none(ended: Ended) -> None:
    """The pool sends an empty one to see whether a connection still answers; a span must have a name."""
    with connection.cursor() as own, tracing.span("body"), tracing.cursor(psycopg.Cursor)(own.connection) as traced:
        traced.execute("")
        traced.execute("SELECT 1")

    assert [span.name for span in ended() if span.kind.name == "CLIENT"] == ["SELECT"]
