"""The names of metrics: those that Warren declares, and those that a PromQL expression asks for."""

import re
from importlib import import_module
from pathlib import Path

from prometheus_client import REGISTRY, Metric

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


def declared() -> dict[str, Metric]:
    """Warren's families, by the name under which people know them: a counter's ends in `_total`."""
    modules = _declaring()
    families = [family for family in REGISTRY.collect() if family.name.startswith("warren_")]
    for module in modules:
        for collector in vars(module).values():
            if isinstance(collector, type) and collector.__module__ == module.__name__ and hasattr(collector, "describe"):
                families += collector.describe(None)
    return {_known_as(family): family for family in families}


def of_series() -> set[str]:
    """All names that a query may use of Warren's."""
    return {family.name + suffix for family in declared().values() for suffix in _SUFFIXES[family.type]}


def asked_for(expression: str) -> set[str]:
    """The metrics in a PromQL expression."""
    without_labels = re.sub(r"\{[^}]*\}", "", expression)
    return set(_NAME.findall(without_labels))


def _declaring() -> list[object]:
    """Every module of Warren's that uses the client, imported."""
    sources = [path for path in (ROOT / "src/warren").rglob("*.py") if not path.name.startswith(("test_", "conftest"))]
    using = [path for path in sources if "prometheus_client" in path.read_text()]
    assert using
    return [import_module(".".join(path.relative_to(ROOT / "src").with_suffix("").parts)) for path in sorted(using)]


def _known_as(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else family.name
