"""The names of metrics: those that Warren declares, and those that a PromQL expression asks for."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.registry import Collector

ROOT = Path(__file__).parents[2]

# Of parts that are not ours; tests/integration/test_observability.py finds each in what they really say.
FOREIGN = {
    "up",
    "ALERTS",
    "pg_up",
    "pg_stat_activity_count",
    "pg_stat_database_xact_commit",
    "pg_stat_database_xact_rollback",
    "pg_stat_user_tables_n_dead_tup",
    "pg_database_size_bytes",
    "rabbitmq_alarms_free_disk_space_watermark",
    "rabbitmq_alarms_memory_used_watermark",
    "rabbitmq_detailed_queue_consumers",
    "rabbitmq_detailed_queue_messages",
    "rabbitmq_process_resident_memory_bytes",
    "rabbitmq_disk_space_available_bytes",
}

_NAME = re.compile(r"\b(?:up|ALERTS|(?:warren|rabbitmq|pg)_\w+)\b")
_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


@dataclass(frozen=True)
class Declared:
    """One family; `name` is that without a counter's `_total`."""

    name: str
    kind: str
    labels: frozenset[str]

    @property
    def series(self) -> set[str]:
        """The names that a query may use."""
        return {self.name + suffix for suffix in _SUFFIXES[self.kind]}


def declared() -> dict[str, Declared]:
    """Warren's metrics, by the name under which people know them: a counter's ends in `_total`."""
    modules = _declaring()
    found = [Declared(each._name, each._type, frozenset(each._labelnames)) for each in _instruments()]  # noqa: SLF001  the client tells them to nobody
    found += [Declared(each.name, each.type, frozenset(each._labelnames)) for each in _described(modules)]  # noqa: SLF001  as above
    return {f"{each.name}_total" if each.kind == "counter" else each.name: each for each in found}


def of_series() -> set[str]:
    """All names that a query may use of Warren's."""
    return {name for each in declared().values() for name in each.series}


def asked_for(expression: str) -> set[str]:
    """The metrics in a PromQL expression."""
    without_labels = re.sub(r"\{[^}]*\}", "", expression)
    return set(_NAME.findall(without_labels))


def _declaring() -> list[ModuleType]:
    """Every module of Warren's that uses the client, imported."""
    sources = [path for path in (ROOT / "src/warren").rglob("*.py") if not path.name.startswith(("test_", "conftest"))]
    using = [path for path in sources if "prometheus_client" in path.read_text()]
    return [import_module(".".join(path.relative_to(ROOT / "src").with_suffix("").parts)) for path in sorted(using)]


def _instruments() -> Iterator[Any]:
    """What counts by itself."""
    for collector in list(REGISTRY._collector_to_names):  # noqa: SLF001  as above
        if isinstance(collector, MetricWrapperBase) and collector._name.startswith("warren_"):  # noqa: SLF001  as above
            yield collector


def _described(modules: Iterable[ModuleType]) -> Iterator[Any]:
    """What is looked up when somebody asks."""
    for module in modules:
        for made in vars(module).values():
            if issubclass(type(made), type) and made.__module__ == module.__name__ and Collector in made.__mro__:
                yield from made.describe(None)
