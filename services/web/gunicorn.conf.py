"""How gunicorn serves: https://docs.gunicorn.org/en/stable/settings.html."""

import os
from typing import Any

from warren.config.env import env
from warren.metrics.exposition import Exposition
from warren.metrics.server import MetricsServer

bind = "0.0.0.0:8000"
worker_class = "asgi"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
# where workers show that they live; a disk here makes gunicorn kill workers that only wait for the disk
worker_tmp_dir = "/dev/shm"  # noqa: S108  memory of this container alone
graceful_timeout = 20  # seconds for requests in flight; below Compose's stop_grace_period of web
timeout = 60
accesslog = "-"
control_socket_disable = True  # nothing here uses gunicornc, and the root is read-only
reload = os.environ.get("WEB_RELOAD", "") == "1"


def when_ready(_server: Any) -> None:
    """In the process that starts the others, and knows nothing of Django: serve what all of them count."""
    MetricsServer(Exposition(), port=env.int("METRICS_PORT", 9464)).start()


def post_worker_init(_worker: Any) -> None:
    """In each of the others: look after its pool of connections."""
    from warren.metrics import database_pool  # noqa: PLC0415  only here are Django's settings there

    database_pool.keep_looking()
