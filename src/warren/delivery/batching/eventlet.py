"""Celery's eventlet pool with places for bodies."""

from celery.concurrency import eventlet

from warren.delivery.batching.green import PlacesPool


class EventletPool(PlacesPool, eventlet.TaskPool):
    """See `green.py`."""
