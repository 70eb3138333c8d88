"""What is run, with what settings and what secrets."""

import re
from collections.abc import Iterator
from typing import Any

from tests.check.k8s import reading, secrets_of_compose
from tests.check.k8s.builds import Object

type Objects = tuple[Object, ...]

DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
TAG = re.compile(r":(?P<tag>[\w][\w.-]*)$")
SECRET_NAME = re.compile(r"PASSWORD|SECRET|COOKIE|(?:TOKEN|(?:^|_)KEY)$")
LOGIN_IN_ADDRESS = re.compile(r"://[^/\s:@]+:[^/\s@]+@")
# made by operators, under names that they choose
BY_OPERATORS = {"rabbitmq-default-user", "postgres-app"}
# of stores outside of the cluster, whose owner adds them to each role's Secret
FOR_STORES_OUTSIDE = {"postgres_ca", "broker_ca"}
OF_THE_OWNER = "postgres_password"  # in migrate's Secret


def one_version_of_each_image(objects: Objects) -> Iterator[str]:
    """Never `latest`, never nothing; the same image is the same version wherever it runs."""
    seen: dict[str, str] = {}
    for each in reading.workloads(objects):
        for container in each.containers:
            image = container["image"]
            tag = TAG.search(image.rpartition("/")[2])
            if not DIGEST.search(image) and (not tag or tag["tag"] == "latest"):
                yield f"{each}: {image} may be another tomorrow"
            name = re.split("[@:]", image.rpartition("/")[2])[0]
            if seen.setdefault(name, image) != image:
                yield f"{each}: runs {image}, others {seen[name]}"


def pinned_by_digest(objects: Objects) -> Iterator[str]:
    """In production: what was tested is what runs, by an operator too."""
    for kind, field in (("Cluster", "imageName"), ("RabbitmqCluster", "image")):
        for cluster in reading.of_kind(objects, kind):
            image = cluster["spec"].get(field, "")
            # CloudNativePG reads the major version in the tag, and Kubernetes the digest
            if not (DIGEST.search(image) and TAG.search(image.partition("@")[0].rpartition("/")[2])):
                yield f"{kind} {reading.name_of(cluster)}: {field} {image!r} is no tag with a digest"
    for each in reading.workloads(objects):
        for container in each.containers:
            if not DIGEST.search(container["image"]):
                yield f"{each}: {container['image']} names no digest"
            if container.get("imagePullPolicy") != "IfNotPresent":
                yield f"{each}: asks the registry at each start for what cannot change"


def no_secret_in_clear(objects: Objects) -> Iterator[str]:
    """Manifests are in git: no Secret, no password among settings, no login in an address."""
    for secret in reading.of_kind(objects, "Secret"):
        yield f"Secret {reading.name_of(secret)} is in the manifests"
    for name, variables in _all_variables(objects):
        for key, value in variables.items():
            is_path = str(value).startswith("/") or not value
            if SECRET_NAME.search(key.removesuffix("_FILE")) and not is_path:
                yield f"{name}: {key} is a secret"
    for thing in objects:
        if LOGIN_IN_ADDRESS.search(str(thing)):
            yield f"{thing['kind']} {reading.name_of(thing)}: an address with a login"


def references_exist(objects: Objects) -> Iterator[str]:
    """What a pod names is there: settings, claims, and secrets that somebody makes."""
    secrets = {f"warren-{role}" for role in secrets_of_compose.by_role()} | BY_OPERATORS
    secrets |= {each["spec"]["secretName"] for each in reading.of_kind(objects, "Certificate")}
    for each in reading.workloads(objects):
        for kind, name in _references(each):
            there = name in secrets if kind == "Secret" else reading.named(objects, kind, name)
            if not there:
                yield f"{each}: there is no {kind} {name}"


def secret_files_exist(objects: Objects) -> Iterator[str]:
    """Each file that a pod is told of is in the Secret that it mounts, or in one that it also mounts."""
    known = {role: names | FOR_STORES_OUTSIDE for role, names in secrets_of_compose.by_role().items()}
    for each in reading.workloads(objects):
        files: set[str] = set()
        for source in _secrets(each):
            role = str(source["name"]).removeprefix("warren-")
            items = source.get("items", ())
            files |= {item["path"] for item in items} or known.get(role, set())
            keys = {item["key"] for item in items}
            if role in known:
                yield from (f"{each}: is given {key}, which the Secret of {role} has not" for key in keys - known[role])
            if keys & FOR_STORES_OUTSIDE and not source.get("optional"):
                yield f"{each}: does not start where {role} has no authority of its own"
        read = {name: path for name, path in reading.environment(each, objects).items() if _reads(each, name)}
        for variable, path in read.items():
            if path.startswith("/run/secrets/") and path.rpartition("/")[2] not in files:
                yield f"{each}: {variable} names {path}, which no secret of its has"


def owner_logs_in_as_owner(objects: Objects) -> Iterator[str]:
    """Whoever is given the password of the database's owner logs in under the name that migrate has for it."""
    made = reading.workloads(objects)
    owner = next((reading.environment(each, objects)["POSTGRES_USER"] for each in made if each.name == "migrate"), None)
    for each in made:
        paths = [item["path"] for source in _secrets(each) for item in source.get("items", ())]
        user = reading.environment(each, objects).get("POSTGRES_USER")
        if each.labels.get("postgres-client") == "true" and OF_THE_OWNER in paths and user != owner:
            yield f"{each}: logs in as {user}, and the owner is {owner}"


def settings_roll_their_pods(objects: Objects) -> Iterator[str]:
    """A ConfigMap that pods read is named after its content, so that a change of it is a rollout."""
    for each in reading.workloads(objects):
        for kind, name in _references(each):
            if kind == "ConfigMap" and not re.search(r"-[a-z0-9]{10}$", name):
                yield f"{each}: would not notice a change of {name}"


def services_find_their_pods(objects: Objects) -> Iterator[str]:
    """Each Service selects one role, by a port that it has by name."""
    made = reading.workloads(objects)
    for service in reading.of_kind(objects, "Service"):
        selector = {"matchLabels": service["spec"]["selector"]}
        own = [each for each in made if reading.selects(selector, each.labels)]
        if len(own) != 1:
            yield f"Service {reading.name_of(service)}: finds {[str(each) for each in own]}"
            continue
        ports = {port.get("name") for port in own[0].main.get("ports", ())}
        for port in service["spec"]["ports"]:
            if port["targetPort"] not in ports:
                yield f"Service {reading.name_of(service)}: {own[0]} has no port {port['targetPort']}"


def selectors_are_narrow(objects: Objects) -> Iterator[str]:
    """A workload selects its own pods and no other's."""
    made = reading.workloads(objects, "Deployment", "StatefulSet")
    for each in made:
        for other in made:
            if reading.selects(each.object["spec"]["selector"], other.labels) != (each is other):
                yield f"{each}: its selector and the labels of {other} are not what they should be"


def public_name_agrees(objects: Objects) -> Iterator[str]:
    """The name that the outside asks for is one that Django answers to, by the scheme that it is asked by."""
    hosts = {host for route in reading.of_kind(objects, "HTTPRoute") for host in route["spec"].get("hostnames", ())}
    hosts |= {rule["host"] for ingress in reading.of_kind(objects, "Ingress") for rule in ingress["spec"]["rules"]}
    web = next((each for each in reading.workloads(objects, "Deployment") if each.name == "web"), None)
    settings = reading.environment(web, objects) if web else {}
    for host in hosts:
        if host not in settings.get("DJANGO_ALLOWED_HOSTS", "").split(","):
            yield f"{host}: Django would answer 400"
        if f"https://{host}" not in settings.get("DJANGO_CSRF_TRUSTED_ORIGINS", "").split(","):
            yield f"{host}: forms would be refused"
        if settings.get("PUBLIC_URL") != f"https://{host}":
            yield f"{host}: links in webhooks lead elsewhere"
        if settings.get("DJANGO_PUBLIC_SCHEME") != "https" or settings.get("TRUSTED_PROXIES") == "0":
            yield f"{host}: Django does not know that a proxy stands before it"


def namespace_is_restricted(objects: Objects) -> Iterator[str]:
    """An overlay's namespace refuses pods that are not restricted."""
    for namespace in reading.of_kind(objects, "Namespace"):
        if namespace["metadata"].get("labels", {}).get("pod-security.kubernetes.io/enforce") != "restricted":
            yield f"Namespace {reading.name_of(namespace)}: takes any pod"


def tls_everywhere_or_nowhere(objects: Objects) -> Iterator[str]:
    """With TLS every client is told the authority and has its files mounted, and no plain address is left."""
    if not reading.of_kind(objects, "Certificate"):
        return
    for each in reading.workloads(objects):
        if "true" not in {each.labels.get("postgres-client"), each.labels.get("rabbitmq-client")}:
            continue
        for container in each.containers:
            variables = reading.environment(each, objects, container=container)
            if "DATA_SOURCE_URI" in variables:
                if "sslmode=verify-full&sslrootcert=/run/tls/ca.crt" not in str(container["env"]):
                    yield f"{each}/{container['name']}: does not verify whom it asks"
                continue
            paths = {mount["mountPath"] for mount in container.get("volumeMounts", ())}
            if "/run/tls" not in paths:
                yield f"{each}/{container['name']}: has no certificates"
            if variables.get("BROKER_TLS_CA") != "/run/tls/ca.crt":
                yield f"{each}/{container['name']}: does not know the authority"
            address = variables.get("BROKER_URL", "") + variables.get("WATCHED_BROKER_URL", "")
            if ":5671/" not in address:
                yield f"{each}/{container['name']}: goes to {address}"


def _secrets(each: reading.Workload) -> list[Object]:
    """What is mounted at /run/secrets, in the form of a projected source."""
    secret: Object = next((volume for volume in each.pod.get("volumes", ()) if volume["name"] == "secrets"), {})
    if sources := secret.get("projected", {}).get("sources"):
        return [source["secret"] for source in sources]
    return [{"name": secret["secret"]["secretName"], **secret["secret"]}] if secret else []


def _reads(each: reading.Workload, variable: str) -> bool:
    """Whether it reads a setting: a backup is given all that Django has, and needs to know Postgres alone."""
    return each.name != "backup" or variable.startswith("POSTGRES_")


def _references(each: reading.Workload) -> Iterator[tuple[str, str]]:
    for container in each.containers:
        for source in container.get("envFrom", ()):
            yield "ConfigMap", source["configMapRef"]["name"]
    for volume in each.pod.get("volumes", ()):
        if "configMap" in volume:
            yield "ConfigMap", volume["configMap"]["name"]
        if "persistentVolumeClaim" in volume:
            yield "PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]
        if "secret" in volume:
            yield "Secret", volume["secret"]["secretName"]
        for source in volume.get("projected", {}).get("sources", ()):
            yield "Secret", source["secret"]["name"]


def _all_variables(objects: Objects) -> Iterator[tuple[str, dict[str, Any]]]:
    for config in reading.of_kind(objects, "ConfigMap"):
        if not any("\n" in value for value in config["data"].values()):
            yield f"ConfigMap {reading.name_of(config)}", config["data"]
    for each in reading.workloads(objects):
        for container in each.containers:
            yield str(each), {one["name"]: one.get("value", "") for one in container.get("env", ())}
