"""How gunicorn serves: https://docs.gunicorn.org/en/stable/settings.html."""

import os
import resource
import signal
from typing import Any

from warren.config.env import env
from warren.metrics.exposition import Exposition
from warren.metrics.server import MetricsServer
from warren.telemetry import gunicorn_logs, lines

bind = "0.0.0.0:8000"
worker_class = "asgi"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
# where workers show that they live; a disk here makes gunicorn kill workers that only wait for the disk
worker_tmp_dir = "/dev/shm"  # noqa: S108  memory of this container alone
graceful_timeout = 20  # seconds for requests in flight; below Compose's stop_grace_period of web
timeout = 60
accesslog = "-"
access_log_format = gunicorn_logs.ACCESS_FORMAT
logconfig_dict = gunicorn_logs.config(
    style=os.environ.get("LOG_FORMAT") or lines.style(debug=os.environ.get("DJANGO_DEBUG", "") in ("1", "true")),
    service=os.environ.get("OTEL_SERVICE_NAME") or "web",
)
control_socket_disable = True  # nothing here uses gunicornc, and the root is read-only
reload = os.environ.get("WEB_RELOAD", "") == "1"

# each open stream is a file; the soft limit is often 1024, which is there for old programs that use select()
ENOUGH_FILES = 65_536
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
soft = ENOUGH_FILES if hard == resource.RLIM_INFINITY else min(hard, ENOUGH_FILES)
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def post_worker_init(worker: Any) -> None:
    """Look after its pool of connections, and let SIGTERM tell open streams to reconnect elsewhere.

    gunicorn alone would wait for them, to its timeout.
    """
    from warren.jobs.live.hub import hub  # noqa: PLC0415  the application is loaded by now, not before
    from warren.metrics import database_pool  # noqa: PLC0415  as above
    from warren.telemetry import tracing  # noqa: PLC0415  as above

    def stop() -> None:
        worker.handle_exit_signal()
        hub.stop()

    worker.loop.add_signal_handler(signal.SIGTERM, stop)
    database_pool.keep_looking()
    # after the fork: the thread that sends spans belongs to this process
    tracing.start()


def when_ready(_server: Any) -> None:
    """In the process that starts the others, and knows nothing of Django: serve what all of them count."""
    MetricsServer(Exposition(), port=env.int("METRICS_PORT", 9464)).start()
