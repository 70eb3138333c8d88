"""What spans of messages are called and what they say.

https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/ and
https://opentelemetry.io/docs/specs/semconv/messaging/rabbitmq/.

The job's id is the message's conversation: Celery's correlation id, the same for every message of the job. Nothing here
tells arguments, results or what an error said: of an error the name of its class, of a refusal the reason's kind.
"""

from collections.abc import Mapping
from typing import Any

from opentelemetry.context import Context
from opentelemetry.trace import Span, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

FIELDS = ("traceparent", "tracestate")  # https://www.w3.org/TR/trace-context/

_propagator = TraceContextTextMapPropagator()


def context_of(headers: Mapping[str, Any]) -> Context:
    """The trace that the headers of a message or a request tell of; an empty context if none, or nonsense."""
    lowered = {name.lower(): value for name, value in headers.items()}
    carrier = {name: lowered[name] for name in FIELDS if isinstance(lowered.get(name), str)}
    return _propagator.extract(carrier, context=Context())


def headers_of(context: Context | None = None) -> dict[str, str]:
    """The headers that tell of this context, or of the current one."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier, context=context)
    return carrier


def attributes(*, system: str, operation: str, kind: str, queue: str, job_id: str, task: str = "") -> dict[str, Any]:
    """What each span of a message says. `kind` is one of the specification's types of operations."""
    return {
        "messaging.system": system,
        "messaging.operation.name": operation,
        "messaging.operation.type": kind,
        "messaging.destination.name": queue,
        **({"messaging.rabbitmq.destination.routing_key": queue} if system == "rabbitmq" else {}),
        "messaging.message.conversation_id": job_id,
        **({"warren.task": task} if task else {}),
    }


def fail(span: Span, *, kind: str) -> None:
    """Mark the span as failed, by the kind of the error."""
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR))
