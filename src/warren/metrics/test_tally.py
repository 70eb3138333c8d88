import threading

import pytest
from prometheus_client import CollectorRegistry, Histogram

from warren.metrics.tally import Tally

SECONDS = [0.0, 0.1, 0.11, 0.9, 1.0, 5.0]


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def _histogram(registry: CollectorRegistry, name: str) -> Histogram:
    return Histogram(name, "Of a test.", ["task"], buckets=(0.1, 1.0), registry=registry)


def _as_told(registry: CollectorRegistry, name: str) -> dict[str, float]:
    return {
        f"{sample.name.removeprefix(name)} {sample.labels}": sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name.startswith(name)
    }


def test_it_tells_what_single_observations_would_when_it_is_flushed(registry: CollectorRegistry) -> None:
    one_by_one, together = _histogram(registry, "single"), _histogram(registry, "tallied")
    tally = Tally(together, bound=lambda task: (task,))

    for seconds in SECONDS:
        one_by_one.labels("add").observe(seconds)
        tally.note("add", seconds=seconds)
    tally.flush()

    assert _as_told(registry, "tallied") == _as_told(registry, "single")


def test_it_tells_nothing_when_it_was_not_flushed(registry: CollectorRegistry) -> None:
    Tally(_histogram(registry, "tallied"), bound=lambda task: (task,)).note("add", seconds=1.0)

    assert not _as_told(registry, "tallied")


def test_it_counts_each_once_when_it_is_flushed_twice(registry: CollectorRegistry) -> None:
    tally = Tally(_histogram(registry, "tallied"), bound=lambda task: (task,))
    tally.note("add", seconds=1.0)

    tally.flush()
    tally.flush()

    assert registry.get_sample_value("tallied_count", {"task": "add"}) == 1


def test_it_keeps_one_series_when_many_names_are_bound_to_one(registry: CollectorRegistry) -> None:
    tally = Tally(_histogram(registry, "tallied"), bound=lambda _task: ("other",))

    for number in range(100):
        tally.note(f"unknown-{number}", seconds=1.0)
    tally.flush()

    assert registry.get_sample_value("tallied_count", {"task": "other"}) == 100
    assert len({labels for labels in _as_told(registry, "tallied") if labels.startswith("_count")}) == 1


def test_it_loses_none_when_another_thread_flushes(registry: CollectorRegistry) -> None:
    tally = Tally(_histogram(registry, "tallied"), bound=lambda task: (task,))
    done = threading.Event()

    def flush() -> None:
        while not done.is_set():
            tally.flush()

    flushing = threading.Thread(target=flush)
    flushing.start()
    for _ in range(20_000):
        tally.note("add", seconds=0.5)
    done.set()
    flushing.join()
    tally.flush()

    assert registry.get_sample_value("tallied_count", {"task": "add"}) == 20_000
