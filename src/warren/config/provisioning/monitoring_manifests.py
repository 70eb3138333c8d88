"""Prometheus' rules and Grafana's dashboards for Kubernetes, made of the very files that Compose mounts.

What there is no source of is not written: then the component `monitoring` has what only Kubernetes can say.
"""

from pathlib import Path
from textwrap import indent

from warren.config.provisioning.manifests import KUSTOMIZATION

MARK = "# Written by `make topology` from services/prometheus and services/grafana.\n"

RULES = Path("services/prometheus/rules.yaml")
DASHBOARDS = Path("services/grafana/dashboards")
WRITTEN = Path("k8s/components/monitoring/written")
TO_GRAFANA = "../" * len(WRITTEN.parts) + str(DASHBOARDS)

_RULE = """# each line is two spaces longer than there
# yamllint disable rule:line-length
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: warren
spec:
"""
# kustomize takes files of its own folder alone, so the folder of the dashboards is a kustomization itself
_GRAFANA = f"""{MARK}# Each is a ConfigMap that Grafana's sidecar finds by its label.
{KUSTOMIZATION}generatorOptions:
  disableNameSuffixHash: true
  labels: {{grafana_dashboard: "1"}}
configMapGenerator:
"""


def files(root: Path) -> dict[Path, str | None]:
    """Text by path, as it should be; None for a file that should not be there."""
    dashboards = sorted(path.name for path in (root / DASHBOARDS).glob("*.json"))
    has_rules = (root / RULES).exists()
    resources = [*(["prometheusrule.yaml"] if has_rules else []), *([TO_GRAFANA] if dashboards else [])]
    made: dict[Path, str | None] = {WRITTEN / "kustomization.yaml": _list(resources)}
    if has_rules:
        made[WRITTEN / "prometheusrule.yaml"] = MARK + _RULE + indent((root / RULES).read_text(), "  ")
    if dashboards:
        made[DASHBOARDS / "kustomization.yaml"] = _GRAFANA + "".join(map(_dashboard, dashboards))
    return made


def _list(resources: list[str]) -> str:
    # without the labels a list of nothing would be a kustomization of nothing, which kustomize refuses
    labels = "labels:\n  - pairs: {app.kubernetes.io/part-of: warren}\n"
    listed = "".join(f"  - {each}\n" for each in resources)
    return f"{MARK}{KUSTOMIZATION}{labels}" + (f"resources:\n{listed}" if resources else "")


def _dashboard(name: str) -> str:
    return f"  - {{name: grafana-dashboard-{name.removesuffix('.json')}, files: [{name}]}}\n"
