"""What a platform team would look for, in every overlay and every combination that the documentation names."""

import pytest

from tests.check.k8s import builds, documented
from tests.check.k8s.builds import Object
from tests.check.k8s.policies import catalogue
from tests.check.k8s.policies.catalogue import Policy

BUILDS = {
    **{name: builds.overlay(name) for name in builds.OVERLAYS},
    **{f"with {name}": builds.combination(name) for name in builds.COMPONENTS},
    **{" + ".join(names): builds.combination(*names) for names in documented.combinations()},
}


@pytest.mark.parametrize("policy", catalogue.EVERYWHERE, ids=catalogue.name_of)
@pytest.mark.parametrize("build", BUILDS)
def test_everywhere(build: str, policy: Policy) -> None:
    assert _violations(policy, BUILDS[build]) == []


@pytest.mark.parametrize("policy", catalogue.IN_OVERLAYS, ids=catalogue.name_of)
@pytest.mark.parametrize("build", builds.OVERLAYS)
def test_in_overlays(build: str, policy: Policy) -> None:
    assert _violations(policy, BUILDS[build]) == []


@pytest.mark.parametrize("policy", catalogue.IN_PRODUCTION, ids=catalogue.name_of)
def test_in_production(policy: Policy) -> None:
    assert _violations(policy, BUILDS["production"]) == []


def _violations(policy: Policy, objects: tuple[Object, ...]) -> list[str]:
    return list(policy(objects))
