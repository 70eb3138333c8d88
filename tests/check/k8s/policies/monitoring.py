"""Figures: every process that has some is asked, by nobody from outside, and rules ask for what then is there."""

import re
from collections.abc import Iterator
from typing import Any

from tests.check.k8s import reading
from tests.check.k8s.builds import Object

type Objects = tuple[Object, ...]

FIGURES = "metrics"  # as every container calls the port
JOB_LABEL = "app.kubernetes.io/name"
NAMESPACE_ASKED = re.compile(r'namespace="([^"]*)"')
JOB_ASKED = re.compile(r'\bjob="([^"]*)"')
SERIES = re.compile(r'"[^"]*"|\b(up|(?:warren|rabbitmq|pg|cnpg|barman|kube|kubelet)_\w+)\b(\{namespace=)?')


def port_is_the_one_that_is_served(objects: Objects) -> Iterator[str]:
    """Every process that METRICS_PORT is told to shows that port by name; a Job is gone before anybody asks."""
    for each in reading.workloads(objects, "Deployment"):
        told = reading.environment(each, objects).get("METRICS_PORT")
        shown = [port["containerPort"] for port in each.main.get("ports", ()) if port.get("name") == FIGURES]
        if told is not None and [told] != [str(port) for port in shown]:
            yield f"{each}: shows figures on {told}, and names {shown}"


def has_room_to_count(objects: Objects) -> Iterator[str]:
    """Whoever counts into files does so in memory, bounded, that outlives no pod."""
    for each in reading.workloads(objects, "Deployment"):
        if "METRICS_PORT" not in reading.environment(each, objects):
            continue
        mounts = {mount["mountPath"]: mount["name"] for mount in each.main["volumeMounts"]}
        volumes = {volume["name"]: volume.get("emptyDir") for volume in each.pod["volumes"]}
        if volumes.get(mounts.get("/run/warren", "")) != {"medium": "Memory", "sizeLimit": "32Mi"}:
            yield f"{each}: has no 32 MiB of memory at /run/warren"


def no_way_from_outside(objects: Objects) -> Iterator[str]:
    """No Service leads to figures, so no Ingress and no route does."""
    for service in reading.of_kind(objects, "Service"):
        for port in service["spec"]["ports"]:
            if port.get("targetPort") in {FIGURES, 9464, 9187} or port["port"] in {9464, 9187}:
                yield f"Service {reading.name_of(service)}: leads to figures"


def everybody_is_watched(objects: Objects) -> Iterator[str]:
    """Each container that shows figures is asked for `/metrics` once, under the name of its process."""
    monitors = reading.of_kind(objects, "PodMonitor")
    for each in reading.workloads(objects) if monitors else ():
        if not any(port.get("name") == FIGURES for port in each.main.get("ports", ())):
            continue
        found = [
            one["spec"]
            for one in monitors
            if reading.selects(one["spec"]["selector"], each.labels)
            for endpoint in one["spec"]["podMetricsEndpoints"]
            if (endpoint["port"], endpoint["path"]) == (FIGURES, "/metrics")
        ]
        if [one.get("jobLabel") for one in found] != [JOB_LABEL]:
            yield f"{each}: is asked as {[one.get('jobLabel') for one in found]}"


def rules_ask_for_jobs_that_there_are(objects: Objects) -> Iterator[str]:
    """`up{job="web"}` is of a job that Prometheus gives that name, or it is missing for ever and warns for ever."""
    jobs = {each.name for each in reading.workloads(objects)} | {"rabbitmq", "rabbitmq-queues"}
    for rule, expression in _expressions(objects):
        for job in set(JOB_ASKED.findall(expression)) - jobs:
            yield f"{rule}: there is no job {job}"


def exporter_is_there_for_the_rules(objects: Objects) -> Iterator[str]:
    """Rules that ask for Postgres' figures come with who tells them, and with the login for it."""
    asks = [rule for rule, expression in _expressions(objects) if re.search(r"\bpg_\w", expression)]
    migrate = next((each for each in reading.workloads(objects, "Job")), None)
    if asks and not reading.named(objects, "Deployment", "postgres-exporter"):
        yield f"{asks[0]}: nobody tells Postgres' figures"
    if asks and migrate and "POSTGRES_EXPORTER_PASSWORD_FILE" not in reading.environment(migrate, objects):
        yield "migrate: makes no login for the exporter"


def asks_of_its_own_namespace(objects: Objects) -> Iterator[str]:
    """One Prometheus and one KEDA serve many: rules, queries and addresses name the namespace that all of it is in."""
    ours = {each["metadata"].get("namespace") for each in reading.of_kind(objects, "Deployment")} - {None}
    for rule, expression in _expressions(objects):
        if any(found[1] and not found[2] for found in SERIES.finditer(expression)):
            yield f"{rule}: asks of every namespace"
        if ours and set(NAMESPACE_ASKED.findall(expression)) != ours:
            yield f"{rule}: asks of another namespace than {ours}; run `make topology`, or patch it"
    for config in reading.of_kind(objects, "ConfigMap"):
        if reading.name_of(config) == "keda" and ours and config["data"]["host"].split(".")[1:2] != [*ours]:
            yield f"KEDA asks {config['data']['host']}: another namespace than {ours}"
    names = {name for each in reading.of_kind(objects, "Certificate") for name in each["spec"].get("dnsNames", ())}
    if names and ours and not {f"rabbitmq.{each}.svc" for each in ours} <= names:
        yield "the certificate of rabbitmq: KEDA would not believe it"


def _expressions(objects: Objects) -> Iterator[tuple[str, str]]:
    rules: Iterator[Any] = (
        rule
        for thing in reading.of_kind(objects, "PrometheusRule")
        for group in thing["spec"]["groups"]
        for rule in group["rules"]
    )
    yield from ((rule["alert"], rule["expr"]) for rule in rules)
    for scaled in reading.of_kind(objects, "ScaledObject"):
        for trigger in scaled["spec"]["triggers"]:
            if "query" in trigger["metadata"]:
                yield f"ScaledObject {reading.name_of(scaled)}", trigger["metadata"]["query"]
