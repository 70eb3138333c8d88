"""Defects, put on purpose into a build that is good; each names the policy that must notice.

A breakage changes the objects that it is given, which are its own copy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.check.k8s import reading
from tests.check.k8s.builds import Object
from tests.check.k8s.policies import disruptions, network, pods, probes, releases, rollouts, scaling
from tests.check.k8s.policies.catalogue import Policy

type Change = Callable[[list[Object]], None]


@dataclass(frozen=True, kw_only=True)
class Breakage:
    """What is changed, in words; in which overlay; who must notice."""

    what: str
    change: Change
    policy: Policy
    overlay: str = "dev"


def of_deployment(name: str, change: Callable[[Any], object]) -> Change:
    """Change a Deployment."""
    return lambda objects: _do(change, _get(objects, "Deployment", name))


def of_pod(name: str, change: Callable[[Any], object]) -> Change:
    """Change the pod of a Deployment."""
    return lambda objects: _do(change, _get(objects, "Deployment", name)["spec"]["template"]["spec"])


def of_container(name: str, change: Callable[[Any], object]) -> Change:
    """Change the container that does a Deployment's work."""
    return of_pod(name, lambda pod: change(pod["containers"][0]))


def of(kind: str, name: str, change: Callable[[Any], object]) -> Change:
    """Change any object."""
    return lambda objects: _do(change, _get(objects, kind, name))


def without(kind: str, name: str) -> Change:
    """Take an object away."""
    return lambda objects: objects.remove(_get(objects, kind, name))


def settings(prefix: str, **values: str) -> Change:
    """Change variables in a ConfigMap."""

    def change(objects: list[Object]) -> None:
        configs = reading.of_kind(objects, "ConfigMap")
        next(each for each in configs if reading.name_of(each).rpartition("-")[0] == prefix)["data"].update(values)

    return change


def _do(change: Callable[[Any], object], thing: Any) -> None:
    change(thing)


def _get(objects: list[Object], kind: str, name: str) -> Any:
    found = reading.named(objects, kind, name)
    if found is None:
        raise LookupError(f"there is no {kind} {name}")
    return found


def _policy_of(name: str) -> Any:
    return of("NetworkPolicy", name, lambda each: each["spec"].update(egress=[], ingress=[]))


def _more(rule: Object, direction: str = "egress") -> Callable[[Any], object]:
    return lambda each: each["spec"].setdefault(direction, []).append(rule)


def _security(**values: object) -> Callable[[Any], object]:
    return lambda container: container["securityContext"].update(values)


def _probe(name: str, **values: object) -> Callable[[Any], object]:
    return lambda container: container[name].update(values)


BREAKAGES = tuple(
    Breakage(what=what, change=change, policy=policy, overlay=overlay)
    for policy, overlay, cases in (
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
                "adds a capability": of_container(
                    "web", _security(capabilities={"drop": ["ALL"], "add": ["SYS_TIME"]})
                ),
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
                "files fill the limit": of_pod(
                    "beat", lambda pod: pod["volumes"][1]["emptyDir"].update(sizeLimit="256Mi")
                ),
            },
        ),
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
        (
            rollouts.strategies,
            "dev",
            {
                "fewer web during a rollout": of_deployment(
                    "web", lambda each: each["spec"]["strategy"]["rollingUpdate"].update(maxUnavailable=1)
                ),
                "never rolls": of_deployment(
                    "beat", lambda each: each["spec"]["strategy"]["rollingUpdate"].update(maxUnavailable=0)
                ),
                "all at once": of_deployment("relay", lambda each: each["spec"].update(strategy={"type": "Recreate"})),
            },
        ),
        (
            rollouts.history_and_deadline,
            "dev",
            {
                "no revision to go back to": of_deployment(
                    "web", lambda each: each["spec"].update(revisionHistoryLimit=0)
                ),
                "given up while migrate runs": of_deployment(
                    "web", lambda each: each["spec"].pop("progressDeadlineSeconds")
                ),
            },
        ),
        (
            rollouts.grace,
            "dev",
            {
                "a worker is killed in its soft shutdown": of_pod(
                    "worker-io", lambda pod: pod.update(terminationGracePeriodSeconds=30)
                ),
                "the soft shutdown is shorter than the usual jobs": settings("worker", WORKER_SOFT_SHUTDOWN_S="10"),
                "the soft shutdown outlasts the grace": settings("worker", WORKER_SOFT_SHUTDOWN_S="60"),
                "web is killed among its last requests": of_pod(
                    "web", lambda pod: pod.update(terminationGracePeriodSeconds=30)
                ),
                "the relay is killed in a pass": of_pod(
                    "relay", lambda pod: pod.update(terminationGracePeriodSeconds=15)
                ),
            },
        ),
        (
            rollouts.drains_endpoints_only,
            "dev",
            {
                "web stops at once": of_container("web", lambda each: each.pop("lifecycle")),
                "a worker sleeps first": of_container(
                    "worker-cpu", lambda each: each.update(lifecycle={"preStop": {"sleep": {"seconds": 5}}})
                ),
            },
        ),
        (
            rollouts.waits_for_migrations,
            "dev",
            {
                "starts at once": of_pod("beat", lambda pod: pod.pop("initContainers")),
                "waits for another release": of_pod(
                    "web", lambda pod: pod["initContainers"][0].update(image="warren-web:old")
                ),
                "waits as another role": of_pod("web", lambda pod: pod["initContainers"][0]["envFrom"].pop()),
                "waits without its secrets": of_pod(
                    "web", lambda pod: pod["initContainers"][0]["volumeMounts"].append({"mountPath": "/x"})
                ),
            },
        ),
        (
            rollouts.migrates_once,
            "dev",
            {
                "nobody migrates": without("Job", "migrate"),
                "two migrate": of("Job", "migrate", lambda each: each["spec"].update(parallelism=2)),
                "migrates for ever": of("Job", "migrate", lambda each: each["spec"].pop("activeDeadlineSeconds")),
                "a Job that cannot be made anew": of(
                    "Job", "migrate", lambda each: each["metadata"].pop("annotations")
                ),
                "migrates another release": of(
                    "Job",
                    "migrate",
                    lambda each: each["spec"]["template"]["spec"]["containers"][0].update(image="warren-web:old"),
                ),
            },
        ),
        (
            rollouts.spread,
            "dev",
            {
                "all on one node": of_pod("web", lambda pod: pod["topologySpreadConstraints"].pop(0)),
                "all in one zone": of_pod("relay", lambda pod: pod["topologySpreadConstraints"].pop(1)),
                "spreads somebody else": of_pod(
                    "web",
                    lambda pod: pod["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"].update(
                        {"app.kubernetes.io/name": "beat"}
                    ),
                ),
                "does not start on one node": of_pod(
                    "web", lambda pod: pod["topologySpreadConstraints"][0].update(whenUnsatisfiable="DoNotSchedule")
                ),
            },
        ),
        (
            disruptions.every_role_has_one,
            "dev",
            {
                "no budget": without("PodDisruptionBudget", "relay"),
                "a budget for somebody else": of(
                    "PodDisruptionBudget",
                    "web",
                    lambda each: each["spec"]["selector"].update(matchLabels={"app.kubernetes.io/name": "beat"}),
                ),
            },
        ),
        (
            disruptions.every_role_has_one,
            "production",
            {
                "no budget for RabbitMQ": without("PodDisruptionBudget", "rabbitmq"),
                "no budget for Postgres": of("Cluster", "postgres", lambda each: each["spec"].update(enablePDB=False)),
            },
        ),
        (
            disruptions.blocks_no_drain,
            "dev",
            {
                "nobody may go": of("PodDisruptionBudget", "web", lambda each: each["spec"].update(maxUnavailable=0)),
                "as many as there are must stay": of(
                    "PodDisruptionBudget", "web", lambda each: each["spec"].update(minAvailable=2)
                ),
                "a broken pod keeps its node": of(
                    "PodDisruptionBudget", "web", lambda each: each["spec"].pop("unhealthyPodEvictionPolicy")
                ),
            },
        ),
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
                "a file that the secret lacks": settings("web", EMAIL_PASSWORD_FILE="/run/secrets/email_password"),
                "another role's secret": of_pod(
                    "relay", lambda pod: pod["volumes"][0]["secret"].update(secretName="warren-beat")
                ),
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
                "no certificates": of_container(
                    "web", lambda each: each.update(volumeMounts=each["volumeMounts"][:-1])
                ),
                "the check has none": of_pod("relay", lambda pod: pod["initContainers"][0].update(volumeMounts=[])),
                "no authority": settings("warren", BROKER_TLS_CA=""),
                "the plain port": settings("flower", WATCHED_BROKER_URL="pyamqp://rabbitmq:5672/warren"),
            },
        ),
        (
            scaling.each_queue_has_its_worker,
            "dev",
            {
                "nobody serves a queue": settings("worker-io", WORKER_QUEUES="cpu"),
                "a queue that nobody declared": settings("worker-io", WORKER_QUEUES="io,oi"),
            },
        ),
        (
            scaling.one_hand_on_the_number,
            "production",
            {
                "each release sets it anew": of_deployment("web", lambda each: each["spec"].update(replicas=2)),
                "may become none": of("ScaledObject", "worker-io", lambda each: each["spec"].update(minReplicaCount=0)),
                "two pull": of(
                    "HorizontalPodAutoscaler",
                    "web",
                    lambda each: each["spec"]["scaleTargetRef"].update(name="worker-io"),
                ),
                "scales nobody": of(
                    "ScaledObject", "worker-io", lambda each: each["spec"]["scaleTargetRef"].update(name="io")
                ),
            },
        ),
        (
            scaling.scale_down_is_slow,
            "production",
            {
                "after a moment": of(
                    "HorizontalPodAutoscaler",
                    "web",
                    lambda each: each["spec"]["behavior"]["scaleDown"].pop("stabilizationWindowSeconds"),
                ),
                "half at once": of(
                    "ScaledObject",
                    "worker-io",
                    lambda each: each["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"][
                        "scaleDown"
                    ].update(policies=[]),
                ),
            },
        ),
        (
            scaling.keda_asks_what_counts,
            "production",
            {
                "running jobs do not count": of(
                    "ScaledObject",
                    "worker-io",
                    lambda each: each["spec"]["triggers"][0]["metadata"].update(excludeUnacknowledged="true"),
                ),
                "over AMQP they cannot": of(
                    "ScaledObject",
                    "worker-io",
                    lambda each: each["spec"]["triggers"][0]["metadata"].update(protocol="amqp"),
                ),
                "nobody asks how long": of("ScaledObject", "worker-io", lambda each: each["spec"]["triggers"].pop()),
                "another queue's": of(
                    "ScaledObject",
                    "worker-io",
                    lambda each: each["spec"]["triggers"][0]["metadata"].update(queueName="cpu"),
                ),
                "no fallback": of("ScaledObject", "worker-cpu", lambda each: each["spec"].pop("fallback")),
                "a queue without": without("ScaledObject", "worker-cpu"),
            },
        ),
        (
            scaling.connections_suffice,
            "production",
            {
                "too many web": of("HorizontalPodAutoscaler", "web", lambda each: each["spec"].update(maxReplicas=20)),
                "too large a pool": settings("worker-io", DB_POOL_SIZE="40"),
                "too few for a role": settings("migrate", POSTGRES_ROLE_CONNECTIONS="60"),
                "too few in all": of(
                    "Cluster",
                    "postgres",
                    lambda each: each["spec"]["postgresql"]["parameters"].update(max_connections="100"),
                ),
            },
        ),
        (network.default_deny, "dev", {"nobody denies": without("NetworkPolicy", "default-deny")}),
        (
            network.real_connections_pass,
            "dev",
            {
                "no names": without("NetworkPolicy", "dns"),
                "no way to Postgres": without("NetworkPolicy", "to-postgres"),
                "Postgres lets nobody in": _policy_of("postgres"),
                "RabbitMQ lets nobody in": _policy_of("rabbitmq"),
                "no way to its API": without("NetworkPolicy", "to-rabbitmq-management"),
                "nobody reaches web": _policy_of("web"),
                "no mail": _policy_of("worker-io"),
                "no figures": without("NetworkPolicy", "monitoring"),
                "a role without its label": of_deployment(
                    "web", lambda each: each["spec"]["template"]["metadata"]["labels"].pop("postgres-client")
                ),
            },
        ),
        (
            network.real_connections_pass,
            "production",
            {
                "KEDA is blind": without("NetworkPolicy", "keda"),
                "RabbitMQ's nodes are apart": without("NetworkPolicy", "rabbitmq-cluster"),
                "Postgres' instances are apart": without("NetworkPolicy", "postgres-cnpg"),
            },
        ),
        (
            network.nothing_else_passes,
            "dev",
            {
                "beat to RabbitMQ": of_deployment(
                    "beat",
                    lambda each: each["spec"]["template"]["metadata"]["labels"].update({"rabbitmq-client": "true"}),
                ),
                "strangers to Postgres": of(
                    "NetworkPolicy", "postgres", _more({"from": [{"namespaceSelector": {}}]}, "ingress")
                ),
                "the cloud's metadata": of(
                    "NetworkPolicy",
                    "worker-io",
                    lambda each: each["spec"]["egress"][0]["to"][0]["ipBlock"]["except"].clear(),
                ),
                "web to the web": of(
                    "NetworkPolicy", "to-postgres", _more({"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]})
                ),
                "strangers to Flower": of("NetworkPolicy", "flower", _more({}, "ingress")),
            },
        ),
    )
    for what, change in cases.items()
)
