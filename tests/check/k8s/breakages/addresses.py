"""Defects that policies/addresses.py must notice."""

from tests.check.k8s.breakages.cases import Cases
from tests.check.k8s.breakages.changes import Change, of
from tests.check.k8s.policies import addresses


def _except(block: int, part: str) -> Change:
    return of(
        "NetworkPolicy",
        "worker-io",
        lambda each: each["spec"]["egress"][0]["to"][block]["ipBlock"]["except"].append(part),
    )


CASES: Cases = (
    (
        addresses.exceptions_lie_within,
        "dev",
        {
            "IPv4 in the form of IPv6": _except(1, "::ffff:0:0/96"),
            "one address of it": _except(1, "::ffff:a00:1/128"),
            "the whole block": _except(0, "0.0.0.0/0"),
            "the whole block of IPv6": _except(1, "::/0"),
            "IPv6 in a block of IPv4": _except(0, "fc00::/7"),
            "IPv4 in a block of IPv6": _except(1, "10.0.0.0/8"),
        },
    ),
)
