"""Every defect that is put, on purpose, into a build that is good; each names the policy that must notice."""

from dataclasses import dataclass

from tests.check.k8s.breakages import (
    addresses,
    disruptions,
    monitoring,
    network,
    pods,
    probes,
    releases,
    rollouts,
    scaling,
    stores,
    streams,
)
from tests.check.k8s.breakages.changes import Change
from tests.check.k8s.policies.catalogue import Policy


@dataclass(frozen=True, kw_only=True)
class Breakage:
    """What is changed, in words; in which overlay, or base with components `one + two`; who must notice."""

    what: str
    change: Change
    policy: Policy
    overlay: str


BREAKAGES = tuple(
    Breakage(what=what, change=change, policy=policy, overlay=overlay)
    for module in (
        pods,
        probes,
        rollouts,
        disruptions,
        releases,
        scaling,
        addresses,
        network,
        monitoring,
        streams,
        stores,
    )
    for policy, overlay, cases in module.CASES
    for what, change in cases.items()
)
