"""Sets the active tracer up as the settings say.

The variables are OpenTelemetry's own (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/),
read by settings.py like all others: the exporter's defaults would send to localhost where nobody has asked for it.
"""

import os
import socket
from urllib.parse import unquote

from django.conf import settings
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from warren.telemetry.otel import hooks
from warren.telemetry.otel.exporting import BoundedExport
from warren.telemetry.otel.tracer import OTelTracer

TRACES_PATH = "/v1/traces"  # https://opentelemetry.io/docs/specs/otlp/#otlphttp-request
EXPORT_TIMEOUT_S = 10.0  # the specification's default
LONGEST_ATTRIBUTE = 4096  # characters; a statement may be long

_NAME = "warren.telemetry"


def tracer() -> OTelTracer:
    """A tracer that sends to the collector, told of jobs by Celery and of connections by Django."""
    exporter = OTLPSpanExporter(
        endpoint=settings.OTEL_EXPORTER_OTLP_ENDPOINT.rstrip("/") + TRACES_PATH,
        headers=pairs(settings.OTEL_EXPORTER_OTLP_HEADERS),
        timeout=EXPORT_TIMEOUT_S,
    )
    made = over(BoundedExport(exporter))
    trace.set_tracer_provider(made.provider)  # for what tasks of yours trace themselves
    return made


def over(export: BoundedExport) -> OTelTracer:
    """A tracer whose spans go to `export`."""
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(settings.OTEL_TRACES_SAMPLER_ARG)),
        resource=Resource(_resource()),
        span_limits=SpanLimits(max_span_attribute_length=LONGEST_ATTRIBUTE),
        shutdown_on_exit=False,  # it waits for as long as it takes; `tracing.stop` does not
    )
    provider.add_span_processor(export)
    system = "redis" if settings.ON_REDIS else "rabbitmq"
    made = OTelTracer(provider=provider, tracer=provider.get_tracer(_NAME), export=export, system=system)
    hooks.connect(made)
    return made


def pairs(text: str) -> dict[str, str]:
    """`key=value,other=value`, percent-encoded, as OTEL_EXPORTER_OTLP_HEADERS and OTEL_RESOURCE_ATTRIBUTES are."""
    entries = (entry.partition("=") for entry in text.split(",") if entry.strip())
    return {key.strip(): unquote(value.strip()) for key, _, value in entries}


def _resource() -> dict[str, str]:
    """Who speaks: https://opentelemetry.io/docs/specs/semconv/resource/."""
    return {
        "service.name": settings.OTEL_SERVICE_NAME,
        "service.namespace": "warren",
        "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
        **pairs(settings.OTEL_RESOURCE_ATTRIBUTES),
    }
