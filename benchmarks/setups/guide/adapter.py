"""Celery with Redis for results, as the set-up's settings have it."""

import django

django.setup()

from work import tasks  # noqa: E402  needs Django

from benchmarks.setups.shared.celery_calls import CeleryCalls  # noqa: E402  beside its peers
from benchmarks.setups.shared.valkey_results import ValkeyResults  # noqa: E402  beside its peers


def make() -> "Adapter":
    """The adapter of this process."""
    return Adapter()


class Adapter(CeleryCalls, ValkeyResults):
    """See `benchmarks.harness.adapter`."""

    def __init__(self) -> None:
        CeleryCalls.__init__(self, tasks)
        ValkeyResults.__init__(self, "redis://valkey:6379/1")
