"""Prometheus' rules and Grafana's dashboards for Kubernetes, made of the very files that Compose mounts.

A cluster's Prometheus watches others too, whose processes may be called `web` as well: so each series that a rule asks
for is narrowed to the namespace of the production overlay, and each alert says it, by which Alertmanager finds whom to
tell.
"""

import re
from pathlib import Path
from textwrap import indent

from warren.config.provisioning import promql
from warren.config.provisioning.dashboard_manifests import dashboards
from warren.config.provisioning.manifests import KUSTOMIZATION, namespace

MARK = "# Written by `make topology` from services/prometheus and services/grafana.\n"

RULES = Path("services/prometheus/rules.yaml")
RULES_OF_KUBERNETES = Path("services/prometheus/rules-kubernetes.yaml")
WRITTEN = Path("k8s/components/monitoring/written")

# source → what it is called there
_RULES = {RULES: "warren", RULES_OF_KUBERNETES: "warren-on-kubernetes"}
_RULE = """# each line is longer than there
# yamllint disable rule:line-length
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: {name}
spec:
"""
_EXPRESSION = re.compile(
    r"^ *expr:.*?(?=^ *(?:for|keep_firing_for|labels|annotations|- \w+):|\Z)", re.MULTILINE | re.DOTALL
)
_LISTED = """labels:
  - pairs: {app.kubernetes.io/part-of: warren}
"""
# Grafana's sidecar finds them by the label
_DASHBOARDS = """generatorOptions:
  disableNameSuffixHash: true
  labels: {grafana_dashboard: "1"}
configMapGenerator:
"""


def files(root: Path) -> dict[Path, str | None]:
    """Text by path, as it should be; None for a file that should not be there. Raises `ValueError`."""
    left_over = [path.relative_to(root) for path in (root / WRITTEN).glob("*.*")]
    rules = {f"prometheusrule-{name}.yaml": _rule(root, source, name) for source, name in _RULES.items()}
    found = dashboards(root)
    made = {"kustomization.yaml": _kustomization([*rules], [*found]), **rules, **found}
    return dict.fromkeys(left_over) | {WRITTEN / name: text for name, text in made.items()}


def narrowed(rules: str, *, ours: str) -> str:
    """The text of rules whose expressions ask of this namespace alone, and whose alerts say it."""
    asking = _EXPRESSION.sub(lambda expression: promql.narrowed(expression[0], ours=ours), rules)
    return re.sub(r"^( *labels: \{)", rf"\1namespace: {ours}, ", asking, flags=re.MULTILINE)


def _rule(root: Path, source: Path, name: str) -> str:
    text = narrowed((root / source).read_text(), ours=namespace(root))
    return MARK + _RULE.format(name=name) + indent(text, "  ")


def _kustomization(rules: list[str], found: list[str]) -> str:
    resources = "resources:\n" + "".join(f"  - {name}\n" for name in rules)
    generated = _DASHBOARDS + "".join(map(_dashboard, found)) if found else ""
    return MARK + KUSTOMIZATION + _LISTED + resources + generated


def _dashboard(name: str) -> str:
    return f"  - {{name: grafana-dashboard-{name.removesuffix('.json')}, files: [{name}]}}\n"
