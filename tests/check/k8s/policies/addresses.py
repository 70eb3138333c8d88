"""Blocks of addresses in NetworkPolicies, as Kubernetes' own server judges them: no schema says it."""

import ipaddress
from collections.abc import Iterator

from tests.check.k8s import reading
from tests.check.k8s.builds import Object

type Objects = tuple[Object, ...]

# IPv4 in the form of IPv6. Kubernetes reads it as IPv4, so it lies in no block of IPv6
MAPPED = ipaddress.ip_network("::ffff:0:0/96")


def exceptions_lie_within(objects: Objects) -> Iterator[str]:
    """Each `except` is a true part of its block; else Kubernetes refuses the policy, and the release stops."""
    for policy in reading.of_kind(objects, "NetworkPolicy"):
        for block in _blocks(policy["spec"]):
            for part in block.get("except", ()):
                if not _is_true_part(part, block["cidr"]):
                    yield f"NetworkPolicy {reading.name_of(policy)}: {part} is no part of {block['cidr']}"


def _blocks(spec: Object) -> Iterator[Object]:
    rules = (*spec.get("egress", ()), *spec.get("ingress", ()))
    for rule in rules:
        peers = (*rule.get("to", ()), *rule.get("from", ()))
        yield from (peer["ipBlock"] for peer in peers if "ipBlock" in peer)


def _is_true_part(part: str, whole: str) -> bool:
    inner, outer = ipaddress.ip_network(part), ipaddress.ip_network(whole)
    first = inner.network_address
    return inner.prefixlen > outer.prefixlen and first in outer and first not in MAPPED
