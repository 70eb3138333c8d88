"""Prometheus' rules and Grafana's dashboards for Kubernetes, made of the very files that Compose mounts.

Where there are no dashboards none are written. A cluster's Prometheus watches others too, whose processes may be called
`web` as well: so each series that a rule asks for is narrowed to the namespace of the production overlay, and each
alert says it, by which Alertmanager finds whom to tell.
"""

import re
from pathlib import Path
from textwrap import indent

from warren.config.provisioning.manifests import KUSTOMIZATION, namespace

MARK = "# Written by `make topology` from services/prometheus and services/grafana.\n"

RULES = Path("services/prometheus/rules.yaml")
RULES_OF_KUBERNETES = Path("services/prometheus/rules-kubernetes.yaml")
DASHBOARDS = Path("services/grafana/dashboards")
WRITTEN = Path("k8s/components/monitoring/written")
TO_GRAFANA = "../" * len(WRITTEN.parts) + str(DASHBOARDS)

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
# or a label's value, in which the same words mean nothing
_SERIES = re.compile(r'"[^"]*"|\b(up|(?:warren|rabbitmq|pg|kube|kubelet)_\w+)\b(\{)?')
# kustomize takes files of its own folder alone, so the folder of the dashboards is a kustomization itself
_GRAFANA = f"""{MARK}# Each is a ConfigMap that Grafana's sidecar finds by its label.
{KUSTOMIZATION}generatorOptions:
  disableNameSuffixHash: true
  labels: {{grafana_dashboard: "1"}}
configMapGenerator:
"""


def files(root: Path) -> dict[Path, str | None]:
    """Text by path, as it should be; None for a file that should not be there. Raises `ValueError`."""
    left_over = [path.relative_to(root) for path in (root / WRITTEN).glob("*.yaml")]
    dashboards = sorted(path.name for path in (root / DASHBOARDS).glob("*.json"))
    rules = {f"prometheusrule-{name}.yaml": _rule(root, source, name) for source, name in _RULES.items()}
    resources = [*rules, *([TO_GRAFANA] if dashboards else [])]
    made: dict[Path, str | None] = dict.fromkeys(left_over)
    made |= {WRITTEN / "kustomization.yaml": _list(resources)} | {WRITTEN / path: text for path, text in rules.items()}
    if dashboards:
        made[DASHBOARDS / "kustomization.yaml"] = _GRAFANA + "".join(map(_dashboard, dashboards))
    return made


def narrowed(rules: str, *, ours: str) -> str:
    """The text of rules whose expressions ask of this namespace alone, and whose alerts say it."""

    def narrow(found: re.Match[str]) -> str:
        if not found[1]:
            return found[0]
        return f'{found[1]}{{namespace="{ours}"' + (", " if found[2] else "}")

    asking = _EXPRESSION.sub(lambda expression: _SERIES.sub(narrow, expression[0]), rules)
    return re.sub(r"^( *labels: \{)", rf"\1namespace: {ours}, ", asking, flags=re.MULTILINE)


def _rule(root: Path, source: Path, name: str) -> str:
    text = narrowed((root / source).read_text(), ours=namespace(root))
    return MARK + _RULE.format(name=name) + indent(text, "  ")


def _list(resources: list[str]) -> str:
    labels = "labels:\n  - pairs: {app.kubernetes.io/part-of: warren}\n"
    listed = "".join(f"  - {each}\n" for each in resources)
    return f"{MARK}{KUSTOMIZATION}{labels}resources:\n{listed}"


def _dashboard(name: str) -> str:
    return f"  - {{name: grafana-dashboard-{name.removesuffix('.json')}, files: [{name}]}}\n"
