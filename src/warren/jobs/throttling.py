"""Throttles that count every request, however many come at once.

DRF's read from the cache what an address has sent, and write it back with one more: of those that come together all
but one are forgotten, and whoever sends a hundred at once has a hundred guesses. Nor does Django's cache in Postgres
count any better: its `incr` reads and writes, too. So those of one address come one by one, by a lock in Postgres that
is held for these two statements, not while a password is looked at. Addresses with the same hash wait for each other
as well, which harms nobody.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from rest_framework.throttling import ScopedRateThrottle, SimpleRateThrottle

_THROTTLES = 7_238_003  # any number, the same in every process, and nobody else's
_LOCK = "SELECT pg_advisory_xact_lock(%s, hashtext(%s))"


class ExactThrottle(SimpleRateThrottle):
    """DRF's, exactly."""

    def allow_request(self, request: Any, view: Any) -> bool:
        """Count a request, unless there were too many; returns whether there were not."""
        with self.one_by_one(request):
            return super().allow_request(request, view)

    @contextmanager
    def one_by_one(self, request: Any) -> Iterator[None]:
        """Nobody else counts what comes from this address inside the block."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_LOCK, [_THROTTLES, self.get_ident(request)])
            yield


class ExactScopedThrottle(ExactThrottle, ScopedRateThrottle):
    """By the view's `throttle_scope`."""
