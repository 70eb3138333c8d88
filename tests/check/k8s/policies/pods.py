"""What every pod keeps: the rules of `restricted` pod security and somewhat more."""

from collections.abc import Iterator
from typing import Any

from tests.check.k8s import reading
from tests.check.k8s.builds import Object

type Objects = tuple[Object, ...]


def restricted(objects: Objects) -> Iterator[str]:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted, and a root nobody can write."""
    for name, pod in _pods(objects):
        yield from (f"{name}: {each}" for each in _of_pod(pod))
        for container in [*pod.get("initContainers", ()), *pod["containers"]]:
            yield from (f"{name}/{container['name']}: {each}" for each in _of_container(container))


def named_writable_folders(objects: Objects) -> Iterator[str]:
    """Memory that is written is bounded; what is mounted exists; what exists is mounted."""
    for each in reading.workloads(objects):
        volumes = {volume["name"]: volume for volume in each.pod.get("volumes", ())}
        claims = {reading.name_of(claim) for claim in each.object["spec"].get("volumeClaimTemplates", ())}
        mounted = {mount["name"] for container in each.containers for mount in container.get("volumeMounts", ())}
        yield from (f"{each}: {name} is mounted and is not there" for name in mounted - volumes.keys() - claims)
        yield from (f"{each}: nobody mounts {name}" for name in volumes.keys() - mounted)
        for name, volume in volumes.items():
            if "emptyDir" in volume and "sizeLimit" not in volume["emptyDir"]:
                yield f"{each}: emptyDir {name} may grow without end"


def secrets_are_read_only(objects: Objects) -> Iterator[str]:
    """Files of secrets and settings are mounted for reading, and read by nobody but the pod's own group."""
    for each in reading.workloads(objects):
        fixed = {volume["name"]: volume for volume in each.pod.get("volumes", ()) if _is_fixed(volume)}
        for container in each.containers:
            for mount in container.get("volumeMounts", ()):
                if mount["name"] in fixed and not mount.get("readOnly"):
                    yield f"{each}: {mount['mountPath']} may be written"
        for name, volume in fixed.items():
            mode = (volume.get("secret") or volume.get("projected") or {"defaultMode": 0o440}).get("defaultMode", 0o644)
            if mode & 0o007:
                yield f"{each}: the secret {name} is for everybody"


def own_account_without_token(objects: Objects) -> Iterator[str]:
    """Each role has an account of its own, and no pod is given what opens the Kubernetes API."""
    accounts = {reading.name_of(each): each for each in reading.of_kind(objects, "ServiceAccount")}
    users: dict[str, str] = {}
    for each in reading.workloads(objects):
        account = each.pod.get("serviceAccountName", "default")
        if account not in accounts:
            yield f"{each}: there is no account {account}"
        if each.pod.get("automountServiceAccountToken") is not False:
            yield f"{each}: is given a token"
        if account in users:
            yield f"{each}: shares its account with {users[account]}"
        users[account] = str(each)
    for name, account in accounts.items():
        if account.get("automountServiceAccountToken") is not False:
            yield f"ServiceAccount {name}: gives a token to who does not refuse it"
        if name not in users:
            yield f"ServiceAccount {name}: nobody uses it"


def no_service_links(objects: Objects) -> Iterator[str]:
    """Else a Service named postgres makes POSTGRES_PORT=tcp://…, and settings.py reads that."""
    for name, pod in _pods(objects):
        if pod.get("enableServiceLinks") is not False:
            yield f"{name}: gets a variable for each Service"


def resources(objects: Objects) -> Iterator[str]:
    """Every container says what it needs and what it may take; the first is no more than the second."""
    for each in reading.workloads(objects):
        for container in each.containers:
            wanted = container.get("resources", {})
            for kind, of in (("cpu", reading.cores), ("memory", reading.mebibytes)):
                request, limit = (wanted.get(part, {}).get(kind) for part in ("requests", "limits"))
                if request is None or limit is None:
                    yield f"{each}/{container['name']}: names no {kind}"
                elif of(request) > of(limit):
                    yield f"{each}/{container['name']}: asks for more {kind} than it may have"
    for cluster in reading.of_kind(objects, "RabbitmqCluster", "Cluster"):
        wanted = cluster["spec"].get("resources", {})
        if any(kind not in wanted.get(part, {}) for part in ("requests", "limits") for kind in ("cpu", "memory")):
            yield f"{cluster['kind']} {reading.name_of(cluster)}: names no resources"


def memory_is_enough_for_what_is_in_memory(objects: Objects) -> Iterator[str]:
    """Files in an emptyDir of memory count as the container's own, and over the limit it is killed."""
    for each in reading.workloads(objects):
        volumes = [volume["emptyDir"] for volume in each.pod.get("volumes", ()) if "emptyDir" in volume]
        files = sum(
            reading.mebibytes(volume.get("sizeLimit", 0)) for volume in volumes if volume.get("medium") == "Memory"
        )
        limit = reading.mebibytes(
            each.main.get("resources", {}).get("limits", {}).get("memory", "1Ti".replace("T", "G"))
        )
        if files * 2 > limit:
            yield f"{each}: {files:.0f} MiB of its {limit:.0f} may be files"


def _pods(objects: Objects) -> Iterator[tuple[str, Object]]:
    """Pods that we write, and those that we tell an operator to write."""
    for each in reading.workloads(objects):
        yield str(each), each.pod
    for cluster in reading.of_kind(objects, "RabbitmqCluster"):
        spec: Any = (
            cluster["spec"].get("override", {}).get("statefulSet", {}).get("spec", {}).get("template", {}).get("spec")
        )
        yield f"RabbitmqCluster {reading.name_of(cluster)}", spec or {"containers": [{"name": "rabbitmq"}]}


def _of_pod(pod: Object) -> Iterator[str]:
    context = pod.get("securityContext", {})
    if context.get("runAsNonRoot") is not True:
        yield "may run as root"
    for key in ("runAsUser", "runAsGroup"):
        if not context.get(key):
            yield f"{key} is root's, or the image's"
    if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "may call anything of the kernel"
    for key in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"):
        if pod.get(key):
            yield f"{key} is on"
    for volume in pod.get("volumes", ()):
        if "hostPath" in volume:
            yield "mounts a folder of the node"


def _of_container(container: Object) -> Iterator[str]:
    context = container.get("securityContext", {})
    if context.get("allowPrivilegeEscalation") is not False:
        yield "may get more rights"
    if context.get("readOnlyRootFilesystem") is not True:
        yield "may write to its root"
    if context.get("capabilities", {}).get("drop") != ["ALL"] or context.get("capabilities", {}).get("add"):
        yield "keeps capabilities"
    if context.get("privileged") or context.get("runAsUser") == 0:
        yield "is privileged"
    if any(port.get("hostPort") for port in container.get("ports", ())):
        yield "takes a port of the node"


def _is_fixed(volume: Object) -> bool:
    return any(volume.get(kind) for kind in ("secret", "projected", "configMap"))
