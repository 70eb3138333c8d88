"""Where Celery and Django tell of what happens: the beginning and end of a job, and a new connection to Postgres."""

from typing import TYPE_CHECKING

from celery.signals import task_postrun, task_prerun
from django.db import connections
from django.db.backends.signals import connection_created

if TYPE_CHECKING:  # which undoes this when it stops
    from warren.telemetry.otel.tracer import OTelTracer

_NAME = "warren.telemetry"


def connect(tracer: "OTelTracer") -> None:
    """Let the tracer be told, also of the connections that this thread has already."""
    task_prerun.connect(tracer.begin_job, weak=False, dispatch_uid=_NAME)
    task_postrun.connect(tracer.end_job, weak=False, dispatch_uid=_NAME)
    connection_created.connect(tracer.on_connection, weak=False, dispatch_uid=_NAME)
    for each in connections.all(initialized_only=True):
        tracer.on_connection(connection=each)


def disconnect() -> None:
    """Undo it, but for the connections that there are."""
    task_prerun.disconnect(dispatch_uid=_NAME)
    task_postrun.disconnect(dispatch_uid=_NAME)
    connection_created.disconnect(dispatch_uid=_NAME)
