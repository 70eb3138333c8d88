"""How gunicorn serves: https://docs.gunicorn.org/en/stable/settings.html."""

import os
from typing import Any

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


def post_worker_init(worker: Any) -> None:  # noqa: ARG001  gunicorn passes it
    """After the fork, and after Django is loaded: the thread that sends spans belongs to this process."""
    from warren.telemetry import tracing  # noqa: PLC0415  it needs Django, which gunicorn's main process never loads

    tracing.start()
