"""Grafana's dashboards for a cluster, made of the very files that Compose's Grafana has.

A cluster's Grafana has datasources under names of its own, of which people choose one at the top of the page; and its
Prometheus watches others too, so queries ask of Warren's namespace alone.
"""

import json
from pathlib import Path
from typing import Any

from warren.config.provisioning import promql
from warren.config.provisioning.manifests import namespace

DASHBOARDS = Path("services/grafana/dashboards")

CHOSEN = "${datasource}"
_CHOICE = {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def dashboards(root: Path) -> dict[str, str]:
    """Text by the name of its file. Raises `ValueError`."""
    ours = namespace(root)
    return {path.name: _of_cluster(path.read_text(), ours) for path in sorted((root / DASHBOARDS).glob("*.json"))}


def _of_cluster(text: str, ours: str) -> str:
    dashboard: dict[str, Any] = _told(json.loads(text), ours)
    dashboard["templating"] = {"list": [_CHOICE, *dashboard.get("templating", {}).get("list", ())]}
    return json.dumps(dashboard, indent=2, ensure_ascii=False) + "\n"


def _told(part: Any, ours: str) -> Any:
    match part:
        case {"type": "prometheus", "uid": _}:
            return part | {"uid": CHOSEN}
        case dict():
            return {
                key: promql.narrowed(value, ours=ours) if key == "expr" else _told(value, ours)
                for key, value in part.items()
            }
        case list():
            return [_told(each, ours) for each in part]
    return part
