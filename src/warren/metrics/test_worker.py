from types import SimpleNamespace
from typing import Any

import pytest
from celery.worker import state
from prometheus_client import CollectorRegistry

from warren.metrics.worker import WorkerCollector


def _told(pool: Any, **worker: Any) -> dict[str, float]:
    registry = CollectorRegistry()
    lease = SimpleNamespace(failed_renewals=3)
    registry.register(WorkerCollector(SimpleNamespace(pool=pool, lease=lease, concurrency=4, **worker)))
    return {sample.name: sample.value for family in registry.collect() for sample in family.samples}


@pytest.fixture
def _two_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "active_requests", {1, 2})
    monkeypatch.setattr(state, "reserved_requests", {1, 2, 3})


@pytest.mark.usefixtures("_two_run")
def test_it_tells_what_celery_runs_when_the_pool_is_celery_s_own() -> None:
    assert _told(SimpleNamespace()) == {
        "warren_worker_places": 4,
        "warren_worker_busy": 2,
        "warren_worker_held": 3,
        "warren_lease_renewal_failures_total": 3,
    }


@pytest.mark.usefixtures("_two_run")
def test_it_believes_the_pool_when_that_counts_its_own_places() -> None:
    told = _told(SimpleNamespace(places=2, busy=0))

    assert (told["warren_worker_places"], told["warren_worker_busy"]) == (2, 0)
