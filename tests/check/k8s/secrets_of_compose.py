"""Which secrets each role has, as Compose's service `secrets` writes them; Kubernetes has the same, a Secret a role.

Of compose/observability.yaml those of `migrate`, which makes the exporter's login; the exporter's pod gets that one.
"""

from functools import cache

import yaml

from tests.check.k8s.builds import ROOT


@cache
def by_role() -> dict[str, set[str]]:
    """Names of files by role."""
    found: dict[str, set[str]] = {}
    for file in ("stack", "observability"):
        compose = yaml.safe_load((ROOT / f"compose/{file}.yaml").read_text())
        for key in compose["services"]["secrets"]["environment"]:
            role, _, name = key.partition(".")
            if file == "stack" or role == "migrate":
                found.setdefault(role, set()).add(name)
    return found
