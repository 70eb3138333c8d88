"""The alert rules: promtool takes them, their own tests pass, and they ask for metrics that exist."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.check import metric_names

FOLDER = Path(__file__).parents[2] / "services/prometheus"
PAGE = Path(__file__).parents[2] / "docs/how-to/metrics.md"


def _rules() -> dict[str, Any]:
    groups = yaml.safe_load((FOLDER / "rules.yaml").read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def _promtool(*arguments: str) -> None:
    # where promtool is missing this fails: rules that nobody has tried warn nobody
    done = subprocess.run(["promtool", *arguments], cwd=FOLDER, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_takes_the_rules() -> None:
    _promtool("check", "rules", "rules.yaml")


def test_promtool_takes_the_configuration(tmp_path: Path) -> None:
    config = (FOLDER / "prometheus.yaml").read_text().replace("/etc/prometheus", str(FOLDER))
    (tmp_path / "prometheus.yaml").write_text(config)

    _promtool("check", "config", str(tmp_path / "prometheus.yaml"))


def test_each_alert_fires_when_it_should_and_not_otherwise() -> None:
    _promtool("test", "rules", "rules_test.yaml")


def test_each_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    tests = yaml.safe_load((FOLDER / "rules_test.yaml").read_text())["tests"]
    tried = [each for test in tests for each in test["alert_rule_test"]]

    for fires in (True, False):
        assert {each["alertname"] for each in tried if bool(each["exp_alerts"]) == fires} == set(_rules())


@pytest.mark.parametrize("alert", _rules())
def test_an_alert_asks_for_metrics_that_exist(alert: str) -> None:
    asked = metric_names.asked_for(_rules()[alert]["expr"])

    assert asked
    assert asked <= metric_names.of_series() | metric_names.FOREIGN


@pytest.mark.parametrize("alert", _rules())
def test_an_alert_says_what_is_wrong_how_bad_and_what_to_do(alert: str) -> None:
    rule = _rules()[alert]

    assert rule["labels"]["severity"] in ("warning", "critical")
    assert set(rule["annotations"]) == {"summary", "description"}
    assert f"`{alert}`" in PAGE.read_text()
