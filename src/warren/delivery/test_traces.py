"""One trace of all that follows from each other, by real jobs and an exporter in memory."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from celery import Celery, Task, chain, chord, group, shared_task
from celery.app.trace import trace_task_ret
from django.contrib.auth.models import Group
from django.db import IntegrityError
from django.test import override_settings
from kombu import Queue
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from warren.delivery import endings
from warren.delivery.batching import batch as batches
from warren.delivery.conftest import Deliver, Run
from warren.delivery.models import Job, OutboxMessage
from warren.delivery.relay import Relay
from warren.delivery.states import State
from warren.telemetry import fields, request_id, tracing
from warren.telemetry.conftest import Ended, ids, is_child, recording
from warren.telemetry.otel import starting
from warren.telemetry.otel.exporting import BoundedExport

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "ann@example.com"  # noqa: S105  what no span may tell


@shared_task(name="traces.add", queue="cpu")
def add(left: int, right: int) -> int:
    return left + right


@shared_task(name="traces.total", queue="cpu")
def total(numbers: list[int]) -> int:
    return sum(numbers)


@shared_task(name="traces.again", queue="cpu", bind=True, max_retries=3)
def again(self: "Task[[], int]") -> int:
    if self.request.retries < 1:
        raise self.retry(countdown=0)
    return self.request.retries


@shared_task(name="traces.query", queue="cpu")
def query(name: str) -> str:
    Group.objects.create(name=name)
    return name


@shared_task(name="traces.tell", queue="cpu")
def tell() -> dict[str, Any]:
    return fields.current()


@shared_task(name="traces.told", queue="cpu")
def told(_job_id: str) -> None:
    """An errback."""


@pytest.fixture
def ended() -> Iterator[Ended]:
    """Traces what the test does; stops when it is asked what that gave."""
    with recording() as stop:
        yield stop


def test_accept_relay_and_worker_are_one_trace(
    ended: Ended, relay: Relay, queues: dict[str, Queue], deliver: Deliver
) -> None:
    with tracing.span("request"):
        job_id = add.delay(1, 2).id
    relay.run_pass()
    message: Any = queues["cpu"].get(no_ack=True)

    deliver(add, job_id, 1, 2, **{name: value for name, value in message.headers.items() if name != "id"})

    spans = ended()
    assert len(spans.traces) == 1
    assert is_child(spans.one("create cpu"), spans.one("request"))
    assert is_child(spans.one("send cpu"), spans.one("create cpu"))
    assert is_child(spans.one("process cpu"), spans.one("create cpu"))
    for step in ("claim", "body", "finish"):
        assert is_child(spans.one(step), spans.one("process cpu"))
    assert is_child(spans.named("UPDATE warren_job")[0], spans.one("claim"))
    assert is_child(spans.named("UPDATE warren_job")[1], spans.one("finish"))


def test_spans_say_what_the_conventions_of_messaging_ask(ended: Ended, relay: Relay, run: Run) -> None:
    with tracing.span("request"):
        job_id = add.delay(1, 2).id
        add.delay(3, 4)
    relay.run_pass()
    again.delay()
    run()

    spans = ended()
    sent = dict(spans.named("send cpu")[0].attributes or {})
    message_id = sent.pop("messaging.message.id")
    assert str(message_id).isdecimal()
    assert sent == {
        "messaging.system": "rabbitmq",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": "cpu",
        "messaging.rabbitmq.destination.routing_key": "cpu",
        "messaging.message.conversation_id": job_id,
        "messaging.batch.message_count": 2,
    }
    kinds = {name: spans.named(f"{name} cpu")[0].kind.name for name in ("create", "send", "process")}
    assert kinds == {"create": "PRODUCER", "send": "CLIENT", "process": "CONSUMER"}
    processed = spans.named("process cpu")[0].attributes or {}
    assert (processed["warren.task"], processed["warren.attempt"]) == ("traces.again", 1)


def test_a_chain_a_group_and_a_chord_are_one_trace(ended: Ended, run: Run) -> None:
    with tracing.span("request"):
        chain(add.s(1, 2), add.s(3)).delay()
        group(add.s(1, 1), add.s(2, 2)).delay()
        chord([add.s(1, 2), add.s(3, 4)], total.s()).delay()

    assert run() == 2 + 2 + 3

    spans = ended()
    assert len(spans.traces) == 1
    assert len(spans.named("process cpu")) == 7
    by_id = {ids(span).span_id: span for span in spans}
    body = next(span for span in spans.named("process cpu") if (span.attributes or {})["warren.task"] == total.name)
    assert body.parent is not None
    created = by_id[body.parent.span_id]
    assert created.parent is not None
    assert by_id[created.parent.span_id].name == "finish", "the last part's"


def test_a_retry_goes_on_with_the_trace_and_is_no_error(ended: Ended, run: Run) -> None:
    with tracing.span("request"):
        again.delay()

    assert run() == 2

    spans = ended()
    assert len(spans.traces) == 1
    attempts = [dict(span.attributes or {}) for span in spans.named("process cpu")]
    assert [(each["warren.attempt"], each["celery.state"]) for each in attempts] == [(1, "RETRY"), (2, "SUCCESS")]
    assert all(span.status.is_unset for span in spans)


def test_a_job_of_no_trace_begins_one(ended: Ended, run: Run) -> None:
    add.delay(1, 2)
    add.delay(3, 4)

    run()

    spans = ended()
    assert len(spans.traces) == 2
    assert [span.parent for span in spans.named("create cpu")] == [None, None]


def test_a_foreign_producer_s_trace_goes_on(ended: Ended, deliver: Deliver) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"

    deliver(add, "foreign-1", 1, 2, traceparent=f"00-{trace_id}-b7ad6b7169203331-01", task=add.name)

    assert ended().traces == {trace_id}


@pytest.mark.parametrize("traceparent", ["nonsense", 7, None, "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
def test_a_nonsense_trace_is_none(ended: Ended, deliver: Deliver, traceparent: Any) -> None:
    deliver(add, "foreign-2", 1, 2, traceparent=traceparent, task=add.name)

    assert ended().one("process").parent is None


def test_spans_tell_neither_arguments_nor_results_nor_errors(ended: Ended, run: Run) -> None:
    Group.objects.create(name=SECRET)
    query.delay(f"other {SECRET}")
    query.apply_async((SECRET,), retry=False)

    run()

    assert isinstance(Job.objects.get(state=State.FAILED).result, str)
    spans = ended()
    failed = [span for span in spans.named("process cpu") if not span.status.is_ok and not span.status.is_unset]
    assert [(span.attributes or {})["error.type"] for span in failed] == [IntegrityError.__name__]
    refused = [span for span in spans.named("INSERT auth_group") if not span.status.is_unset]
    assert [(span.attributes or {})["error.type"] for span in refused] == ["23505"]
    assert SECRET not in "".join(span.to_json() for span in spans)


def test_what_is_asked_outside_of_a_trace_is_in_none(ended: Ended, relay: Relay) -> None:
    relay.run_pass()
    assert not OutboxMessage.objects.exists()

    assert ended() == []


def test_a_batch_shows_each_job_its_claim_and_its_finish(ended: Ended, app: Celery) -> None:
    jobs = []
    for number in range(3):
        with tracing.span(f"request {number}"):
            jobs.append(add.delay(number, 1).id)
    orders = []
    for job_id in jobs:
        envelope = Job.objects.get(pk=job_id).envelope
        told_to_child = {
            **envelope.headers,
            "hostname": "worker-test@here",
            "delivery_info": {"routing_key": "cpu", "redelivered": False},
            "properties": {"message_id": "1"},
        }
        body = envelope.body.encode()
        orders.append((add.name, job_id, told_to_child, body, "application/json", "utf-8"))

    batches.run(partial(trace_task_ret, app=app), orders)

    spans = ended()
    assert set(Job.objects.values_list("state", flat=True)) == {State.SUCCEEDED}
    assert len(spans.traces) == 3
    for step in ("claim", "process cpu", "finish"):
        assert len(spans.named(step)) == 3
    first, *others = sorted(spans.named("claim"), key=lambda span: len(span.links))
    assert not first.links
    assert all(link.context == ids(first) for span in others for link in span.links)
    (claimed,) = [span for span in spans.named("UPDATE warren_job") if is_child(span, first)]
    assert ids(claimed).trace_id == ids(first).trace_id


def test_what_follows_from_a_job_that_others_end_is_in_its_trace(ended: Ended) -> None:
    with tracing.span("request"):
        job_id = add.apply_async((1, 2), link_error=told.s()).id

    endings.end(Job.objects.get(pk=job_id), state=State.DEAD, error=RuntimeError("lost"))

    spans = ended()
    assert len(spans.traces) == 1
    assert len(spans.named("create cpu")) == 2


@override_settings(OTEL_TRACES_SAMPLER_ARG=0.0)
def test_who_begins_a_trace_decides_whether_it_is_kept(run: Run) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"

    with recording() as ended:
        with tracing.continued({"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"}):
            add.delay(1, 2)
        add.delay(3, 4)
        run()

        spans = ended()
    assert len(spans.named("process cpu")) == 1
    assert spans.traces == {trace_id}


def test_a_message_of_a_trace_that_is_not_kept_says_so() -> None:
    with override_settings(OTEL_TRACES_SAMPLER_ARG=0.0):
        tracer = starting.over(BoundedExport(InMemorySpanExporter()))

    headers = tracer.created(job_id="1", task="t", queue="cpu")
    tracer.stop(timeout_s=10)

    flags = int(headers["traceparent"].rpartition("-")[2], base=16)
    assert not flags & trace.TraceFlags.SAMPLED


@pytest.fixture
def request_id_around() -> Iterator[str]:
    """Within a request of this id."""
    token = request_id.around.set("edge-42")
    yield "edge-42"
    request_id.around.reset(token)


def test_a_job_carries_the_id_of_its_request_and_so_do_those_that_follow(request_id_around: str, run: Run) -> None:
    chain(add.s(1, 2), add.s(3)).delay()
    again.delay()
    request_id.around.set(None)

    run()

    carried = [job.envelope.headers["request_id"] for job in Job.objects.all()]
    assert carried == [request_id_around] * 3


def test_a_job_of_no_request_carries_none() -> None:
    add.delay(1, 2)

    assert "request_id" not in Job.objects.get().envelope.headers


def test_a_line_that_a_job_writes_tells_which_job_it_is(request_id_around: str, run: Run) -> None:
    job_id = tell.delay().id
    request_id.around.set(None)

    run()

    assert json.loads(Job.objects.get(pk=job_id).result or "") == {
        "request_id": request_id_around,
        "job_id": job_id,
        "task": "traces.tell",
        "queue": "cpu",
        "attempt": 1,
    }
