"""Defects that policies/releases.py must notice."""

from collections.abc import Callable
from typing import Any

from tests.check.k8s.breakages.cases import Cases
from tests.check.k8s.breakages.changes import (
    Change,
    all_of,
    of,
    of_container,
    of_deployment,
    of_pod,
    settings,
    without,
)
from tests.check.k8s.policies import releases


def _backup(change: Callable[[Any], object]) -> Change:
    return of("CronJob", "backup", lambda each: change(each["spec"]["jobTemplate"]["spec"]["template"]["spec"]))


CASES: Cases = (
    (
        releases.one_version_of_each_image,
        "dev",
        {
            "latest": of_container("web", lambda each: each.update(image="warren-web:latest")),
            "no tag": of_container("web", lambda each: each.update(image="example.com:5000/warren-web")),
            "two versions": of_container("web", lambda each: each.update(image="warren-web:other")),
        },
    ),
    (
        releases.pinned_by_digest,
        "production",
        {
            "a tag": of_container("web", lambda each: each.update(image="example.com/warren-web:1.2.3")),
            "whatever CloudNativePG takes": of("Cluster", "postgres", lambda each: each["spec"].pop("imageName")),
            "Postgres of no version that its operator sees": of(
                "Cluster", "postgres", lambda each: each["spec"].update(imageName="example.com/pg@sha256:" + "1" * 64)
            ),
            "whatever RabbitMQ's operator takes": of(
                "RabbitmqCluster", "rabbitmq", lambda each: each["spec"].update(image="example.com/rabbitmq:4")
            ),
            "asks each time": of_container("web", lambda each: each.update(imagePullPolicy="Always")),
        },
    ),
    (
        releases.no_secret_in_clear,
        "dev",
        {
            "a Secret": lambda objects: objects.append({"kind": "Secret", "metadata": {"name": "x"}}),
            "a password among settings": settings("web", BROKER_PASSWORD="hunter2"),  # noqa: S106  that is the point
            "a key in a container": of_container(
                "web", lambda each: each.update(env=[{"name": "DJANGO_SECRET_KEY", "value": "x"}])
            ),
            "a login in an address": settings("warren", BROKER_URL="pyamqp://web:hunter2@rabbitmq:5672/warren"),
        },
    ),
    (
        releases.references_exist,
        "dev",
        {
            "no settings": of_container(
                "web", lambda each: each["envFrom"].append({"configMapRef": {"name": "nowhere"}})
            ),
            "no claim": without("PersistentVolumeClaim", "media"),
            "a secret that nobody makes": of_pod(
                "web", lambda pod: pod["volumes"][0]["secret"].update(secretName="mine")
            ),
        },
    ),
    (
        releases.secret_files_exist,
        "dev",
        {
            "a file that the secret lacks": settings("web", EMAIL_PASSWORD_FILE="/run/secrets/email_password"),  # noqa: S106  a path
            "another role's secret": of_pod(
                "relay", lambda pod: pod["volumes"][0]["secret"].update(secretName="warren-beat")
            ),
        },
    ),
    (
        releases.secret_files_exist,
        "production",
        {
            "a key that the secret lacks": of_pod(
                "postgres-exporter", lambda pod: pod["volumes"][0]["secret"]["items"][0].update(key="nowhere")
            ),
        },
    ),
    (
        releases.owner_logs_in_as_owner,
        "backup + external-secrets + network-policies",
        {
            "the name that the image has for the owner": _backup(lambda pod: pod["containers"][0].pop("env")),
            "another's name": _backup(
                lambda pod: pod["containers"][0].update(env=[{"name": "POSTGRES_USER", "value": "warren_web"}])
            ),
        },
    ),
    (
        releases.secret_files_exist,
        "backup + external-secrets + network-policies",
        {
            "does not know the authority of a Postgres outside": all_of(
                settings("warren", POSTGRES_TLS_CA="/run/secrets/postgres_ca"),
                _backup(lambda pod: pod["volumes"][0]["projected"]["sources"].pop()),
            ),
            "wants the authority of a Postgres that has none": _backup(
                lambda pod: pod["volumes"][0]["projected"]["sources"][1]["secret"].pop("optional")
            ),
            "no password": _backup(lambda pod: pod["volumes"][0]["projected"]["sources"].pop(0)),
        },
    ),
    (
        releases.settings_roll_their_pods,
        "dev",
        {
            "a name without a hash": of_container(
                "web", lambda each: each["envFrom"][0]["configMapRef"].update(name="warren")
            ),
        },
    ),
    (
        releases.services_find_their_pods,
        "dev",
        {
            "finds nobody": of("Service", "web", lambda each: each["spec"]["selector"].update(x="y")),
            "finds all": of(
                "Service", "web", lambda each: each["spec"].update(selector={"app.kubernetes.io/part-of": "warren"})
            ),
            "no such port": of("Service", "web", lambda each: each["spec"]["ports"][0].update(targetPort="https")),
        },
    ),
    (
        releases.selectors_are_narrow,
        "dev",
        {
            "takes others' pods": of_deployment(
                "web",
                lambda each: each["spec"].update(selector={"matchLabels": {"app.kubernetes.io/part-of": "warren"}}),
            ),
        },
    ),
    (
        releases.public_name_agrees,
        "production",
        {
            "Django knows another name": settings("warren", DJANGO_ALLOWED_HOSTS="other.example.com"),
            "forms are refused": settings("warren", DJANGO_CSRF_TRUSTED_ORIGINS=""),
            "links lead elsewhere": settings("warren", PUBLIC_URL="https://other.example.com"),
            "cookies travel in clear": settings("warren", DJANGO_PUBLIC_SCHEME="http"),
        },
    ),
    (
        releases.namespace_is_restricted,
        "dev",
        {
            "takes any pod": of("Namespace", "warren", lambda each: each["metadata"].pop("labels")),
        },
    ),
    (
        releases.tls_everywhere_or_nowhere,
        "production",
        {
            "the exporter believes anybody": of_container(
                "postgres-exporter", lambda each: each["env"][0].update(value="sslmode=require")
            ),
            "no certificates": of_container("web", lambda each: each.update(volumeMounts=each["volumeMounts"][:-1])),
            "the check has none": of_pod("relay", lambda pod: pod["initContainers"][0].update(volumeMounts=[])),
            "no authority": settings("warren", BROKER_TLS_CA=""),
            "the plain port": settings("flower", WATCHED_BROKER_URL="pyamqp://rabbitmq:5672/warren"),
        },
    ),
)
