"""What a Celery worker's main process tells of itself, looked up when Prometheus asks: none of it costs a job time."""

from collections.abc import Iterator
from typing import Any

from celery import bootsteps
from celery.worker import state
from django.conf import settings
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from warren.metrics import recording
from warren.metrics.exposition import Exposition
from warren.metrics.server import MetricsServer


class WorkerCollector(Collector):
    """Looks at the worker."""

    def __init__(self, worker: Any) -> None:
        self._worker = worker

    def describe(self) -> list[Metric]:
        """The names, without a look."""
        return list(_families())

    def collect(self) -> Iterator[Metric]:
        """As things stand."""
        pool = self._worker.pool
        # Warren's own pools know better: a prefork child that runs a batch is one place with many jobs
        places = getattr(pool, "places", None) or self._worker.concurrency
        busy = getattr(pool, "busy", None)
        figures = (
            places,
            len(state.active_requests) if busy is None else busy,
            len(state.reserved_requests),
            self._worker.lease.failed_renewals,
        )
        for family, figure in zip(_families(), figures, strict=True):
            family.add_metric([], figure)
            yield family


class MetricsStep(bootsteps.StartStopStep):
    """Takes the port before the pool forks, so that a worker that cannot have it does not start; serves after that."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        before = None
        if settings.POOLED:
            from warren.metrics import database_pool  # noqa: PLC0415  its gauges are of processes that have a pool

            before = database_pool.look
        exposition = Exposition(collectors=[WorkerCollector(worker)], before=before)
        self._server = MetricsServer(exposition, port=settings.METRICS_PORT)

    def start(self, worker: Any) -> None:  # noqa: ARG002  Celery passes it
        """Begin to serve."""
        recording.begin()
        self._server.start()


def _families() -> Iterator[Any]:
    yield GaugeMetricFamily("warren_worker_places", "Bodies of tasks that may run at once.", labels=[])
    yield GaugeMetricFamily("warren_worker_busy", "Places in use; a batch in a prefork child is one.", labels=[])
    yield GaugeMetricFamily("warren_worker_held", "Messages fetched and not acknowledged yet.", labels=[])
    yield CounterMetricFamily(
        "warren_lease_renewal_failures", "Renewals of the worker's lease that failed; Postgres was away.", labels=[]
    )
