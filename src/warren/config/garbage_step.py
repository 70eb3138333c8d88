"""Lets Python's garbage collector look less often, and not at what stays for good.

A job makes and drops thousands of small objects, nearly all freed by their reference counts. The collector looks for
cycles after every 2 000 new ones, and each time also at the modules, which are never garbage. Frozen before the pool
forks, they stay shared with the children too: https://docs.python.org/3/library/gc.html#gc.freeze
"""

import gc
from typing import Any

from celery import bootsteps

THRESHOLD = 20_000  # new objects; some megabytes


class GarbageStep(bootsteps.Step):
    """Made in the main process when all is imported, before any step starts and so before the pool forks."""

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        gc.collect()
        gc.freeze()
        gc.set_threshold(THRESHOLD)
