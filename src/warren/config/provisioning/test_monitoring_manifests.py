from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command

from warren.config.provisioning import manifests, monitoring_manifests
from warren.config.queues import QUEUES

ROOT = Path(__file__).parents[4]
RULES = "# why\ngroups:\n  - name: warren\n    rules:\n      - alert: Some\n        expr: up == 0\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one rule and two dashboards."""
    for path, text in {
        manifests.PRODUCTION: "namespace: jobs\n",
        monitoring_manifests.RULES: RULES,
        monitoring_manifests.RULES_OF_KUBERNETES: RULES,
        monitoring_manifests.DASHBOARDS / "jobs.json": "{}",
        monitoring_manifests.DASHBOARDS / "services.json": "{}",
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


def test_the_dashboards_are_those_of_compose(repository: Path) -> None:
    _topology(repository)

    written = repository / monitoring_manifests.WRITTEN
    listed = yaml.safe_load((written / "kustomization.yaml").read_text())["resources"]
    assert listed[:2] == ["prometheusrule-warren.yaml", "prometheusrule-warren-on-kubernetes.yaml"]
    [grafana] = [(written / each).resolve() for each in listed[2:]]
    made = yaml.safe_load((grafana / "kustomization.yaml").read_text())
    assert [each["files"] for each in made["configMapGenerator"]] == [["jobs.json"], ["services.json"]]
    assert all((grafana / name).exists() for each in made["configMapGenerator"] for name in each["files"])


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
    (repository / monitoring_manifests.DASHBOARDS / "new.json").write_text("{}")

    with pytest.raises(CommandError, match="make topology"):
        _topology(repository, "--check")


def test_no_list_of_dashboards_is_written_where_there_are_none(repository: Path) -> None:
    for path in (repository / monitoring_manifests.DASHBOARDS).glob("*.json"):
        path.unlink()

    assert monitoring_manifests.DASHBOARDS / "kustomization.yaml" not in monitoring_manifests.files(repository)


def test_a_file_that_is_written_no_more_is_taken_away(repository: Path) -> None:
    old = monitoring_manifests.WRITTEN / "prometheusrule-of-before.yaml"
    (repository / old).write_text("")

    assert monitoring_manifests.files(repository)[old] is None


def test_it_says_so_when_the_production_overlay_names_no_namespace(repository: Path) -> None:
    (repository / manifests.PRODUCTION).write_text("kind: Kustomization\n")

    with pytest.raises(ValueError, match="names no namespace"):
        monitoring_manifests.files(repository)
