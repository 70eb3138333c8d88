"""Celery with django-celery-results."""

import django

django.setup()

from django.db import connection  # noqa: E402  needs Django
from work import tasks  # noqa: E402  needs Django

from benchmarks.setups.shared.celery_calls import CeleryCalls  # noqa: E402  beside its peers

_STORED = """
SELECT count(*), coalesce(sum(result::bigint), 0) FROM django_celery_results_taskresult WHERE status = 'SUCCESS'
"""


def make() -> "Adapter":
    """The adapter of this process."""
    return Adapter()


class Adapter(CeleryCalls):
    """See `benchmarks.harness.adapter`."""

    def __init__(self) -> None:
        super().__init__(tasks)

    def stored(self) -> int:
        return _ask()[0]

    def total(self) -> int:
        return _ask()[1]


def _ask() -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(_STORED)
        count, total = cursor.fetchone()
    return int(count), int(total)
