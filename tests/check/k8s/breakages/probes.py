"""Defects that policies/probes.py must notice."""

from collections.abc import Callable
from typing import Any

from tests.check.k8s.breakages.cases import Cases
from tests.check.k8s.breakages.changes import of_container
from tests.check.k8s.policies import probes


def _probe(name: str, **values: object) -> Callable[[Any], object]:
    return lambda container: container[name].update(values)


CASES: Cases = (
    (
        probes.apart,
        "dev",
        {
            "no liveness": of_container("relay", lambda each: each.pop("livenessProbe")),
            "no startup": of_container("web", lambda each: each.pop("startupProbe")),
            "liveness asks Postgres": of_container(
                "web", _probe("livenessProbe", httpGet={"path": "/readyz", "port": "http"})
            ),
            "liveness asks RabbitMQ": of_container(
                "worker-io", _probe("livenessProbe", exec={"command": ["/srv/worker/healthcheck", "ready"]})
            ),
            "starts with Postgres only": of_container(
                "web", _probe("startupProbe", httpGet={"path": "/readyz", "port": "http"})
            ),
        },
    ),
    (
        probes.readiness_asks_for_what_is_needed,
        "dev",
        {
            "ready without Postgres": of_container(
                "web", _probe("readinessProbe", httpGet={"path": "/livez", "port": "http"})
            ),
            "ready and consumes nothing": of_container(
                "worker-cpu", _probe("readinessProbe", exec={"command": ["/srv/worker/healthcheck", "alive"]})
            ),
        },
    ),
    (
        probes.patient,
        "dev",
        {
            "restarted after a moment": of_container("relay", _probe("livenessProbe", failureThreshold=1)),
            "believed for minutes": of_container("worker-io", _probe("readinessProbe", failureThreshold=60)),
            "one second for an answer": of_container("web", _probe("readinessProbe", timeoutSeconds=1)),
            "no time to start": of_container("web", _probe("startupProbe", failureThreshold=3)),
        },
    ),
    (
        probes.cheap,
        "dev",
        {
            "a Python every five seconds": of_container(
                "worker-io", _probe("readinessProbe", exec={"command": ["celery", "inspect", "ping"]})
            ),
        },
    ),
)
