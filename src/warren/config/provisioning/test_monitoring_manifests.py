import json
from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command

from warren.config.provisioning import dashboard_manifests, manifests, monitoring_manifests
from warren.config.queues import QUEUES

ROOT = Path(__file__).parents[4]
ASKED = {"type": "prometheus", "uid": "warren-prometheus"}
TARGET = {"datasource": ASKED, "expr": 'sum(up{job="web"})'}
DASHBOARD = json.dumps({"panels": [{"title": "Jobs: up", "datasource": ASKED, "targets": [TARGET]}]})
RULES = "# why\ngroups:\n  - name: warren\n    rules:\n      - alert: Some\n        expr: up == 0\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one rule and two dashboards."""
    for path, text in {
        manifests.PRODUCTION: "namespace: jobs\n",
        monitoring_manifests.RULES: RULES,
        monitoring_manifests.RULES_OF_KUBERNETES: RULES,
        dashboard_manifests.DASHBOARDS / "jobs.json": DASHBOARD,
        dashboard_manifests.DASHBOARDS / "services.json": "{}",
        monitoring_manifests.WRITTEN / "kustomization.yaml": "",
        **{path: (ROOT / path).read_text() for path in (*manifests.files(ROOT, QUEUES), manifests.STACK)},
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def _topology(root: Path, *options: str) -> None:
    call_command("topology", ROOT / "services/rabbitmq/definitions", "--repository", root, *options)


def test_the_rules_are_those_of_compose(repository: Path) -> None:
    _topology(repository)

    for name in ("warren", "warren-on-kubernetes"):
        made = yaml.safe_load((repository / monitoring_manifests.WRITTEN / f"prometheusrule-{name}.yaml").read_text())
        assert (made["kind"], made["metadata"]["name"]) == ("PrometheusRule", name)
        assert made["spec"] == yaml.safe_load(RULES.replace("up ==", 'up{namespace="jobs"} =='))


@pytest.mark.parametrize(
    ("expression", "narrowed"),
    [
        ('absent(up{job="web"} == 1)', 'absent(up{namespace="jobs", job="web"} == 1)'),
        ("max by (queue) (warren_queue_workers) == 0", 'max by (queue) (warren_queue_workers{namespace="jobs"}) == 0'),
        ("rate(warren_jobs_total[5m])", 'rate(warren_jobs_total{namespace="jobs"}[5m])'),
        ("kube_a offset 1m / kubelet_b", 'kube_a{namespace="jobs"} offset 1m / kubelet_b{namespace="jobs"}'),
        ('pg_up{x="warren_jobs|up_to"}', 'pg_up{namespace="jobs", x="warren_jobs|up_to"}'),
    ],
)
def test_each_series_is_narrowed_to_the_namespace(expression: str, narrowed: str) -> None:
    rule = "      - alert: warren_up\n        expr: {expr}\n        for: 1m\n        summary: up and up\n"

    assert monitoring_manifests.narrowed(rule.format(expr=expression), ours="jobs") == rule.format(expr=narrowed)


def test_the_dashboards_are_those_of_compose_for_any_datasource_and_one_namespace(repository: Path) -> None:
    _topology(repository)

    made = json.loads((repository / monitoring_manifests.WRITTEN / "jobs.json").read_text())
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    target = {"datasource": chosen, "expr": 'sum(up{namespace="jobs", job="web"})'}
    assert made["panels"] == [{"title": "Jobs: up", "datasource": chosen, "targets": [target]}]
    assert [(each["name"], each["type"]) for each in made["templating"]["list"]] == [("datasource", "datasource")]


def test_each_dashboard_is_a_config_map_that_grafana_finds(repository: Path) -> None:
    _topology(repository)

    written = repository / monitoring_manifests.WRITTEN
    listed = yaml.safe_load((written / "kustomization.yaml").read_text())
    assert listed["resources"] == ["prometheusrule-warren.yaml", "prometheusrule-warren-on-kubernetes.yaml"]
    assert listed["generatorOptions"]["labels"] == {"grafana_dashboard": "1"}
    assert [each["files"] for each in listed["configMapGenerator"]] == [["jobs.json"], ["services.json"]]
    assert all((written / name).exists() for each in listed["configMapGenerator"] for name in each["files"])


def test_each_alert_says_its_namespace() -> None:
    rule = "      - alert: Some\n        expr: up == 0\n        labels: {severity: warning}\n"

    assert "labels: {namespace: jobs, severity: warning}" in monitoring_manifests.narrowed(rule, ours="jobs")


def test_a_changed_rule_asks_for_make_topology(repository: Path) -> None:
    _topology(repository)
    _topology(repository, "--check")
    (repository / monitoring_manifests.RULES).write_text(RULES.replace("Some", "Other"))

    with pytest.raises(CommandError, match=r"prometheusrule-warren\.yaml: .*run `make topology`"):
        _topology(repository, "--check")


def test_a_new_dashboard_asks_for_make_topology(repository: Path) -> None:
    _topology(repository)
    (repository / dashboard_manifests.DASHBOARDS / "new.json").write_text("{}")

    with pytest.raises(CommandError, match="make topology"):
        _topology(repository, "--check")


def test_no_list_of_dashboards_is_written_where_there_are_none(repository: Path) -> None:
    for path in (repository / dashboard_manifests.DASHBOARDS).glob("*.json"):
        path.unlink()

    listed = monitoring_manifests.files(repository)[monitoring_manifests.WRITTEN / "kustomization.yaml"]

    assert "configMapGenerator" not in (listed or "")


def test_a_file_that_is_written_no_more_is_taken_away(repository: Path) -> None:
    old = monitoring_manifests.WRITTEN / "prometheusrule-of-before.yaml"
    (repository / old).write_text("")

    assert monitoring_manifests.files(repository)[old] is None


def test_it_says_so_when_the_production_overlay_names_no_namespace(repository: Path) -> None:
    (repository / manifests.PRODUCTION).write_text("kind: Kustomization\n")

    with pytest.raises(ValueError, match="names no namespace"):
        monitoring_manifests.files(repository)
