"""Where a Celery worker begins and ends to trace.

prefork                     each child, after the fork; the main process runs no job. A child that is replaced sends
                            what waits before it goes (`tracing.STOP_S`)
gevent, eventlet, threads   the worker's process, patched by then
solo                        the same
"""

from typing import Any

from celery.signals import worker_init, worker_process_init, worker_process_shutdown
from django.conf import settings

from warren.telemetry import tracing

_NAME = "warren.telemetry"


def trace() -> None:
    """Begin when Celery says so; without a collector nobody is asked."""
    if not tracing.is_configured():
        return
    # prefork's children send the second; its main process must not have a thread when it forks
    begins = worker_process_init if settings.POOL == "prefork" else worker_init
    begins.connect(_begin, dispatch_uid=_NAME)
    worker_process_shutdown.connect(_end, dispatch_uid=_NAME)


def _begin(**_signal: Any) -> None:
    tracing.start()


def _end(**_signal: Any) -> None:
    tracing.stop()
