"""The pool of Postgres connections that threads or greenlets of a process share (`DB_POOL_SIZE`).

A pool is known to its own process only. A process that serves `/metrics` looks at each request; those of web, whose
metrics another serves, look every few seconds. A look takes no lock of the pool's.
"""

import threading
import time
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from prometheus_client import Gauge

LOOK_EVERY_S = 2.0

# of all living processes together, where several count
OPEN = Gauge("warren_db_pool_connections", "Connections to Postgres that the pool has.", multiprocess_mode="livesum")
IDLE = Gauge("warren_db_pool_idle", "Those of them that nobody uses now.", multiprocess_mode="livesum")
MOST = Gauge("warren_db_pool_size", "Connections that the pool may have.", multiprocess_mode="livesum")
WAITING = Gauge("warren_db_pool_waiting", "Who waits for a connection now.", multiprocess_mode="livesum")


def look() -> None:
    """Set the gauges to what the pool says; there is none before the first query."""
    pools: dict[str, Any] = getattr(connections[DEFAULT_DB_ALIAS], "_connection_pools", {})
    if pool := pools.get(DEFAULT_DB_ALIAS):
        told = pool.get_stats()
        OPEN.set(told["pool_size"])
        IDLE.set(told.get("pool_available", 0))
        MOST.set(told["pool_max"])
        WAITING.set(told.get("requests_waiting", 0))


def keep_looking() -> None:
    """From now on, in a thread of its own."""
    threading.Thread(target=_look_for_ever, name="database-pool", daemon=True).start()


def _look_for_ever() -> None:
    while True:
        look()
        time.sleep(LOOK_EVERY_S)
