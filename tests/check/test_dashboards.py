"""Grafana's files. Its image could not be run where they were written, so they are held to what is known of them."""

import json
import subprocess
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.check import metric_names

FOLDER = Path(__file__).parents[2] / "services/grafana"
DASHBOARDS = sorted((FOLDER / "dashboards").glob("*.json"))
GRID_WIDTH = 24
KINDS = {"row", "stat", "timeseries"}

every_dashboard = pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)


def _load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def _datasource() -> dict[str, Any]:
    (only,) = yaml.safe_load((FOLDER / "provisioning/datasources/warren.yaml").read_text())["datasources"]
    return dict(only)


def _targets(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    return [target for panel in dashboard["panels"] for target in panel.get("targets", [])]


def test_there_are_some() -> None:
    assert len(DASHBOARDS) >= 2
    assert len({_load(path)["uid"] for path in DASHBOARDS}) == len(DASHBOARDS)


@every_dashboard
def test_it_has_what_grafana_needs(path: Path) -> None:
    dashboard = _load(path)

    assert dashboard["title"].startswith("Warren")
    assert dashboard["uid"] == f"warren-{path.stem}"
    assert isinstance(dashboard["schemaVersion"], int)
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    for panel in dashboard["panels"]:
        assert panel["type"] in KINDS
        assert panel["title"]
        assert (panel["type"] == "row") != bool(panel.get("targets")), panel["title"]
        references = [target["refId"] for target in panel.get("targets", [])]
        assert len(set(references)) == len(references)


@every_dashboard
def test_its_panels_lie_within_the_grid_and_on_no_other(path: Path) -> None:
    places = [panel["gridPos"] for panel in _load(path)["panels"]]

    assert all(place["x"] >= 0 and place["x"] + place["w"] <= GRID_WIDTH for place in places)
    assert not [pair for pair in combinations(places, 2) if _overlap(*pair)]
    assert all((one["y"], one["x"]) < (next_one["y"], next_one["x"]) for one, next_one in pairwise(places))


@every_dashboard
def test_it_asks_the_datasource_that_is_provisioned(path: Path) -> None:
    dashboard = _load(path)
    expected = {"type": _datasource()["type"], "uid": _datasource()["uid"]}

    asked = [panel["datasource"] for panel in dashboard["panels"] if panel["type"] != "row"]
    asked += [each["datasource"] for each in [*_targets(dashboard), *dashboard["annotations"]["list"]]]

    assert asked
    assert all(each == expected for each in asked)


@every_dashboard
def test_each_query_asks_for_metrics_that_exist(path: Path) -> None:
    dashboard = _load(path)
    expressions = [each["expr"] for each in [*_targets(dashboard), *dashboard["annotations"]["list"]]]

    asked = {expression: metric_names.asked_for(expression) for expression in expressions}

    assert all(asked.values())
    known = metric_names.of_series() | metric_names.FOREIGN
    assert not {name for names in asked.values() for name in names} - known


@every_dashboard
def test_each_query_is_one_that_prometheus_takes(path: Path, tmp_path: Path) -> None:
    rules = [
        {"record": f"probe:{number}", "expr": target["expr"]} for number, target in enumerate(_targets(_load(path)))
    ]
    written = tmp_path / "rules.yaml"
    written.write_text(yaml.safe_dump({"groups": [{"name": "probe", "rules": rules}]}))

    done = subprocess.run(["promtool", "check", "rules", written], check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_metric_of_warren_is_shown_somewhere_or_asked_for_by_an_alert() -> None:
    expressions = [target["expr"] for path in DASHBOARDS for target in _targets(_load(path))]
    rules = (FOLDER.parent / "prometheus/rules.yaml").read_text()

    shown = metric_names.asked_for("\n".join([*expressions, rules]))

    unseen = {name for name in metric_names.declared() if not any(each.startswith(name) for each in shown)}
    assert unseen <= {"warren_job_attempts_total"}  # what began, beside what was lost, for who looks closer


def test_the_provider_reads_the_folder_that_the_image_has() -> None:
    (provider,) = yaml.safe_load((FOLDER / "provisioning/dashboards/warren.yaml").read_text())["providers"]

    assert f"COPY services/grafana/dashboards {provider['options']['path']}\n" in (FOLDER / "Dockerfile").read_text()


def test_the_collector_takes_traces_over_http() -> None:
    config = yaml.safe_load((FOLDER.parent / "otel-collector/config.yaml").read_text())

    assert config["receivers"]["otlp"]["protocols"]["http"]["endpoint"].endswith(":4318")
    for kind in ("receivers", "processors", "exporters"):
        for pipeline in config["service"]["pipelines"].values():
            assert set(pipeline[kind]) == set(config[kind]), kind


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return all(
        one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
        for start, size in (("x", "w"), ("y", "h"))
    )
