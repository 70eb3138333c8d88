"""The form in which breakages are written down: a policy, the overlay that is broken, and the defects by name."""

from tests.check.k8s.breakages.changes import Change
from tests.check.k8s.policies.catalogue import Policy

type Cases = tuple[tuple[Policy, str, dict[str, Change]], ...]
