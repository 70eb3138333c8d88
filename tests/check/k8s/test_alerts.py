"""The alerts in a cluster: Compose's, narrowed to Warren's namespace, and those that only Kubernetes can give."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.check import metric_names
from tests.check.k8s import builds, reading
from tests.check.k8s.builds import ROOT

FOLDER = ROOT / "services/prometheus"
PAGE = ROOT / "k8s/components/monitoring/README.md"
RULES = {reading.name_of(each): each for each in reading.of_kind(builds.overlay("production"), "PrometheusRule")}

# https://github.com/kubernetes/kube-state-metrics/tree/main/docs/metrics, the kubelet's, CloudNativePG's, its plugin's
OF_KUBERNETES = {
    "barman_cloud_cloudnative_pg_io_last_available_backup_timestamp",
    "cnpg_pg_replication_streaming_replicas",
    "kube_cronjob_created",
    "kube_cronjob_status_last_successful_time",
    "kube_deployment_status_condition",
    "kube_deployment_status_replicas_unavailable",
    "kube_horizontalpodautoscaler_spec_max_replicas",
    "kube_horizontalpodautoscaler_status_current_replicas",
    "kube_job_created",
    "kube_job_failed",
    "kubelet_volume_stats_available_bytes",
    "kubelet_volume_stats_capacity_bytes",
}


def _dashboards() -> dict[str, Any]:
    configs = reading.of_kind(builds.overlay("production"), "ConfigMap")
    found = [each for each in configs if each["metadata"].get("labels", {}).get("grafana_dashboard") == "1"]
    return {reading.name_of(each): json.loads(text) for each in found for text in each["data"].values()}


def _promtool(*arguments: str) -> None:
    done = subprocess.run(["promtool", *arguments], cwd=FOLDER, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


def _of_kubernetes() -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = RULES["warren-on-kubernetes"]["spec"]["groups"][0]["rules"]
    return rules


@pytest.mark.parametrize("name", RULES)
def test_prometheus_takes_the_rules(name: str, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(RULES[name]["spec"]))

    _promtool("check", "rules", str(tmp_path / "rules.yaml"))


@pytest.mark.parametrize("name", _dashboards())
def test_prometheus_takes_what_a_dashboard_asks(name: str, tmp_path: Path) -> None:
    panels = _dashboards()[name]["panels"]
    asked = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    rules = [{"record": f"asked:{number}", "expr": expression} for number, expression in enumerate(asked)]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": name, "rules": rules}]}))

    assert asked
    assert not [expression for expression in asked if 'namespace="warren"' not in expression]
    _promtool("check", "rules", "--lint=none", str(tmp_path / "rules.yaml"))


@pytest.mark.parametrize("name", _dashboards())
def test_a_dashboard_asks_the_datasource_that_is_chosen(name: str) -> None:
    """Compose's Grafana has one of a name of ours; a cluster's has others."""
    dashboard = _dashboards()[name]
    uids = set(re.findall(r'"type": "prometheus", "uid": "([^"]*)"', json.dumps(dashboard)))

    assert uids == {"${datasource}"}
    assert [each["name"] for each in dashboard["templating"]["list"]] == ["datasource"]


def test_each_alert_fires_when_it_should_and_not_otherwise() -> None:
    _promtool("test", "rules", "rules-kubernetes_test.yaml")


def test_each_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    tests = yaml.safe_load((FOLDER / "rules-kubernetes_test.yaml").read_text())["tests"]
    tried = [each for test in tests for each in test["alert_rule_test"]]

    for fires in (True, False):
        told = {each["alertname"] for each in tried if bool(each["exp_alerts"]) == fires}
        assert told == {rule["alert"] for rule in _of_kubernetes()}


@pytest.mark.parametrize("name", RULES)
def test_every_alert_says_its_namespace(name: str) -> None:
    rules = [rule for group in RULES[name]["spec"]["groups"] for rule in group["rules"]]

    assert {rule["labels"].get("namespace") for rule in rules} == {"warren"}


@pytest.mark.parametrize(("namespace", "warns"), [("warren", False), ("other", True)])
def test_an_alert_looks_at_its_own_namespace_alone(tmp_path: Path, namespace: str, *, warns: bool) -> None:
    """By Prometheus' own reading of what was narrowed: somebody else's relay, which runs, is none of ours."""
    rules = RULES["warren"]["spec"]
    [rule] = [rule for group in rules["groups"] for rule in group["rules"] if rule["alert"] == "WarrenRelayDown"]
    told = {"exp_labels": rule["labels"], "exp_annotations": rule["annotations"]}
    test = {
        "interval": "15s",
        "input_series": [{"series": f'up{{job="relay", namespace="{namespace}"}}', "values": "1x40"}],
        "alert_rule_test": [{"eval_time": "5m", "alertname": "WarrenRelayDown", "exp_alerts": [told] if warns else []}],
    }
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules))
    (tmp_path / "test.yaml").write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "tests": [test]}))

    _promtool("test", "rules", str(tmp_path / "test.yaml"))


@pytest.mark.parametrize("rule", _of_kubernetes(), ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_metrics_that_exist_and_is_explained(rule: dict[str, Any]) -> None:
    asked = set(re.findall(r"\b(?:kube|kubelet|cnpg|barman)_\w+", rule["expr"])) | metric_names.asked_for(rule["expr"])

    assert asked
    assert asked <= OF_KUBERNETES
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert set(rule["annotations"]) == {"summary", "description"}
    assert f"`{rule['alert']}`" in PAGE.read_text()
