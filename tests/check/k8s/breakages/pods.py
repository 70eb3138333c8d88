"""Defects that policies/pods.py must notice."""

from collections.abc import Callable
from typing import Any

from tests.check.k8s.breakages.cases import Cases
from tests.check.k8s.breakages.changes import of, of_container, of_pod
from tests.check.k8s.policies import pods


def _security(**values: object) -> Callable[[Any], object]:
    return lambda container: container["securityContext"].update(values)


CASES: Cases = (
    (
        pods.restricted,
        "dev",
        {
            "may run as root": of_pod("web", lambda pod: pod["securityContext"].pop("runAsNonRoot")),
            "runs as root": of_pod("web", lambda pod: pod["securityContext"].update(runAsUser=0)),
            "has root's group": of_pod("relay", lambda pod: pod["securityContext"].pop("runAsGroup")),
            "has no seccomp profile": of_pod("beat", lambda pod: pod["securityContext"].pop("seccompProfile")),
            "shares the node's network": of_pod("web", lambda pod: pod.update(hostNetwork=True)),
            "mounts the node": of_pod(
                "web", lambda pod: pod["volumes"].append({"name": "x", "hostPath": {"path": "/"}})
            ),
            "may get more rights": of_container("flower", _security(allowPrivilegeEscalation=True)),
            "writes to its root": of_container("worker-io", _security(readOnlyRootFilesystem=False)),
            "keeps capabilities": of_container("web", _security(capabilities={"drop": ["NET_RAW"]})),
            "adds a capability": of_container("web", _security(capabilities={"drop": ["ALL"], "add": ["SYS_TIME"]})),
            "is privileged": of_container("web", _security(privileged=True)),
            "is privileged at first": of_pod("web", lambda pod: pod["initContainers"][0].pop("securityContext")),
            "the store runs as root": of(
                "StatefulSet", "postgres", lambda each: each["spec"]["template"]["spec"].pop("securityContext")
            ),
        },
    ),
    (
        pods.restricted,
        "production",
        {
            "RabbitMQ's operator is told nothing": of(
                "RabbitmqCluster", "rabbitmq", lambda each: each["spec"].pop("override")
            ),
        },
    ),
    (
        pods.named_writable_folders,
        "dev",
        {
            "memory without end": of_pod("web", lambda pod: pod["volumes"][1]["emptyDir"].pop("sizeLimit")),
            "a mount of nothing": of_pod("web", lambda pod: pod["volumes"].pop(1)),
            "a volume for nobody": of_pod(
                "web", lambda pod: pod["volumes"].append({"name": "x", "emptyDir": {"sizeLimit": "1Mi"}})
            ),
        },
    ),
    (
        pods.secrets_are_read_only,
        "dev",
        {
            "secrets may be written": of_container("web", lambda each: each["volumeMounts"][0].pop("readOnly")),
            "secrets are for everybody": of_pod(
                "web", lambda pod: pod["volumes"][0]["secret"].update(defaultMode=0o444)
            ),
            "the usual mode of secrets": of_pod("web", lambda pod: pod["volumes"][0]["secret"].pop("defaultMode")),
        },
    ),
    (
        pods.own_account_without_token,
        "dev",
        {
            "a token": of_pod("web", lambda pod: pod.pop("automountServiceAccountToken")),
            "a token by the account": of(
                "ServiceAccount", "web", lambda each: each.update(automountServiceAccountToken=True)
            ),
            "a shared account": of_pod("beat", lambda pod: pod.update(serviceAccountName="relay")),
            "everybody's account": of_pod("beat", lambda pod: pod.pop("serviceAccountName")),
        },
    ),
    (
        pods.no_service_links,
        "dev",
        {"POSTGRES_PORT=tcp://…": of_pod("web", lambda pod: pod.pop("enableServiceLinks"))},
    ),
    (
        pods.resources,
        "dev",
        {
            "no limit of memory": of_container("web", lambda each: each["resources"]["limits"].pop("memory")),
            "no request of CPU": of_container("beat", lambda each: each["resources"]["requests"].pop("cpu")),
            "asks for more than it may have": of_container(
                "web", lambda each: each["resources"]["requests"].update(memory="1Gi")
            ),
        },
    ),
    (
        pods.memory_is_enough_for_what_is_in_memory,
        "dev",
        {
            "files fill the limit": of_pod("beat", lambda pod: pod["volumes"][1]["emptyDir"].update(sizeLimit="256Mi")),
        },
    ),
)
