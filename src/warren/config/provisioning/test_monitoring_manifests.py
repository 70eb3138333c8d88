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
        monitoring_manifests.RULES: RULES,
        monitoring_manifests.DASHBOARDS / "jobs.json": "{}",
        monitoring_manifests.DASHBOARDS / "services.json": "{}",
        monitoring_manifests.WRITTEN / "kustomization.yaml": "",
        **{path: (ROOT / path).read_text() for path in manifests.files(ROOT, QUEUES)},
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def _topology(root: Path, *options: str) -> None:
    call_command("topology", ROOT / "services/rabbitmq/definitions", "--repository", root, *options)


def test_the_rules_are_those_of_compose(repository: Path) -> None:
    _topology(repository)

    made = yaml.safe_load((repository / monitoring_manifests.WRITTEN / "prometheusrule.yaml").read_text())
    assert made["kind"] == "PrometheusRule"
    assert made["spec"] == yaml.safe_load(RULES)


def test_the_dashboards_are_those_of_compose(repository: Path) -> None:
    _topology(repository)

    written = repository / monitoring_manifests.WRITTEN
    listed = yaml.safe_load((written / "kustomization.yaml").read_text())["resources"]
    assert listed[0] == "prometheusrule.yaml"
    [grafana] = [(written / each).resolve() for each in listed[1:]]
    made = yaml.safe_load((grafana / "kustomization.yaml").read_text())
    assert [each["files"] for each in made["configMapGenerator"]] == [["jobs.json"], ["services.json"]]
    assert all((grafana / name).exists() for each in made["configMapGenerator"] for name in each["files"])


def test_a_changed_rule_asks_for_make_topology(repository: Path) -> None:
    _topology(repository)
    _topology(repository, "--check")
    (repository / monitoring_manifests.RULES).write_text(RULES.replace("Some", "Other"))

    with pytest.raises(CommandError, match=r"prometheusrule\.yaml: .*run `make topology`"):
        _topology(repository, "--check")


def test_a_new_dashboard_asks_for_make_topology(repository: Path) -> None:
    _topology(repository)
    (repository / monitoring_manifests.DASHBOARDS / "new.json").write_text("{}")

    with pytest.raises(CommandError, match="make topology"):
        _topology(repository, "--check")


def test_nothing_is_written_of_what_is_not_there(tmp_path: Path) -> None:
    assert monitoring_manifests.files(tmp_path).keys() == {monitoring_manifests.WRITTEN / "kustomization.yaml"}
