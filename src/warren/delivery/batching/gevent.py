"""Celery's gevent pool with places for bodies."""

from celery.concurrency import gevent
from gevent import get_hub

from warren.delivery.batching.green import PlacesPool

# The worker's own: its connections to Postgres and to the broker.
LOOKUPS_OF_OURS = 10


class GeventPool(PlacesPool, gevent.TaskPool):
    """See `green.py`."""

    def on_start(self) -> None:
        """Let all tasks look up names at a time, in native threads: those that find none take many seconds each, and
        gevent's ten would let the worker's own connections wait for them.
        """
        super().on_start()
        get_hub().threadpool.maxsize = self.limit + LOOKUPS_OF_OURS
