"""The policies themselves: each notices what it is there for, and each is there for something."""

import copy

import pytest

from tests.check.k8s import builds
from tests.check.k8s.breakages.catalogue import BREAKAGES, Breakage
from tests.check.k8s.policies import catalogue

ALL = (*catalogue.EVERYWHERE, *catalogue.IN_OVERLAYS, *catalogue.IN_PRODUCTION)


@pytest.mark.parametrize("broken", BREAKAGES, ids=lambda each: f"{catalogue.name_of(each.policy)}: {each.what}")
def test_it_is_noticed(broken: Breakage) -> None:
    objects = list(copy.deepcopy(_built(broken.overlay)))
    assert list(broken.policy(tuple(objects))) == []

    broken.change(objects)

    assert list(broken.policy(tuple(objects)))


@pytest.mark.parametrize("policy", ALL, ids=catalogue.name_of)
def test_every_policy_is_broken_by_something(policy: catalogue.Policy) -> None:
    assert any(each.policy is policy for each in BREAKAGES)


def _built(name: str) -> tuple[builds.Object, ...]:
    return builds.overlay(name) if name in builds.OVERLAYS else builds.combination(*name.split(" + "))
