"""Which secrets each role has, as Compose's service `secrets` writes them; Kubernetes has the same, a Secret a role."""

from functools import cache

import yaml

from tests.check.k8s.builds import ROOT


@cache
def by_role() -> dict[str, set[str]]:
    """Names of files by role."""
    stack = yaml.safe_load((ROOT / "compose/stack.yaml").read_text())
    found: dict[str, set[str]] = {}
    for key in stack["services"]["secrets"]["environment"]:
        role, _, name = key.partition(".")
        found.setdefault(role, set()).add(name)
    return found
