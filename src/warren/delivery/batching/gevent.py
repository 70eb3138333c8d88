"""Celery's gevent pool with places for bodies."""

from celery.concurrency import gevent

from warren.delivery.batching.green import PlacesPool


class GeventPool(PlacesPool, gevent.TaskPool):
    """See `green.py`."""
