"""Defects that policies/monitoring.py must notice."""

from collections.abc import Callable
from typing import Any

from tests.check.k8s.breakages.cases import Cases
from tests.check.k8s.breakages.changes import (
    of,
    of_container,
    of_deployment,
    of_pod,
    settings,
    without,
    without_setting,
)
from tests.check.k8s.policies import monitoring


def _first_rule(**values: str) -> Callable[[Any], object]:
    return lambda each: each["spec"]["groups"][0]["rules"][0].update(values)


def _volume(pod: Any, name: str) -> Any:
    return next(each for each in pod["volumes"] if each["name"] == name)


CASES: Cases = (
    (
        monitoring.port_is_the_one_that_is_served,
        "dev",
        {
            "another port": settings("warren", METRICS_PORT="9000"),
            "a port without its name": of_container("relay", lambda each: each["ports"].clear()),
        },
    ),
    (
        monitoring.has_room_to_count,
        "dev",
        {
            "a disk": of_pod("web", lambda pod: _volume(pod, "warren").update(emptyDir={"sizeLimit": "32Mi"})),
            "too little": of_pod("beat", lambda pod: _volume(pod, "warren")["emptyDir"].update(sizeLimit="1Mi")),
            "nothing": of_container("worker-io", lambda each: each["volumeMounts"].pop()),
        },
    ),
    (
        monitoring.no_way_from_outside,
        "dev",
        {
            "by web's Service": of(
                "Service",
                "web",
                lambda each: each["spec"]["ports"].append({"name": "x", "port": 80, "targetPort": "metrics"}),
            ),
        },
    ),
    (
        monitoring.everybody_is_watched,
        "production",
        {
            "nobody asks": of(
                "PodMonitor", "warren", lambda each: each["spec"]["selector"]["matchLabels"].update(x="y")
            ),
            "under one name for all": of("PodMonitor", "warren", lambda each: each["spec"].pop("jobLabel")),
            "a pod without its label": of_deployment(
                "relay",
                lambda each: each["spec"]["template"]["metadata"]["labels"].pop("app.kubernetes.io/part-of"),
            ),
        },
    ),
    (
        monitoring.rules_ask_for_jobs_that_there_are,
        "production",
        {
            "a job of Compose's alone": of(
                "PrometheusRule", "warren", _first_rule(expr='absent(up{namespace="warren", job="warren/warren"} == 1)')
            ),
        },
    ),
    (
        monitoring.exporter_is_there_for_the_rules,
        "production",
        {
            "nobody asks Postgres": without("Deployment", "postgres-exporter"),
            "no login": without_setting("migrate", "POSTGRES_EXPORTER_PASSWORD_FILE"),
        },
    ),
    (
        monitoring.asks_of_its_own_namespace,
        "production",
        {
            "a rule for all": of("PrometheusRule", "warren", _first_rule(expr="max(warren_queue_workers) == 0")),
            "a rule for others": of(
                "PrometheusRule", "warren-on-kubernetes", _first_rule(expr='up{namespace="other"} == 0')
            ),
            "workers by another's queue": of(
                "ScaledObject",
                "worker-io",
                lambda each: each["spec"]["triggers"][1]["metadata"].update(
                    query='max(warren_queue_oldest_wait_seconds{queue="io"})'
                ),
            ),
            "KEDA in its own namespace": of(
                "ConfigMap", "keda", lambda each: each["data"].update(host="https://rabbitmq:15671/")
            ),
            "a certificate for us alone": of(
                "Certificate", "rabbitmq-server", lambda each: each["spec"].update(dnsNames=["rabbitmq"])
            ),
        },
    ),
)
