"""A release replaces pods without losing work, and none of them starts before the migrations are through."""

import ast
from collections.abc import Iterator

from tests.check.k8s import reading
from tests.check.k8s.builds import ROOT, Object
from warren.config.provisioning.manifests import deployment
from warren.config.queues import QUEUES

type Objects = tuple[Object, ...]

SPARE_S = 10  # between what a process needs to stop and the kill
HANDING_BACK_S = 20  # what a worker may need after its soft shutdown: the loop's end, the connection's, the lease
MOST_REVISIONS = 5
MOST_TRIES = 10
ENDPOINTS_FORGET_S = 5  # how long a busy cluster may need to tell every node
RELAY_PASS_S = 15  # warren.delivery.rabbitmq_publisher.CONFIRM_TIMEOUT_S


def strategies(objects: Objects) -> Iterator[str]:
    """Each says what may be missing and what may be too many; nobody goes before the migrations that all wait for."""
    for each in reading.workloads(objects, "Deployment"):
        rolling = each.object["spec"].get("strategy", {}).get("rollingUpdate", {})
        if rolling.keys() != {"maxSurge", "maxUnavailable"}:
            yield f"{each}: leaves its rollout to Kubernetes"
        elif rolling["maxSurge"] == rolling["maxUnavailable"] == 0:
            yield f"{each}: can never roll"
        elif _waits(each) and rolling["maxUnavailable"] != 0:
            yield f"{each}: has fewer pods during a rollout, and for as long as its migrations fail"


def history_and_deadline(objects: Objects) -> Iterator[str]:
    """A few revisions to go back to; a rollout that hangs is said to, but not before migrations may have ended."""
    for each in reading.workloads(objects, "Deployment", "StatefulSet"):
        if not 1 <= each.object["spec"].get("revisionHistoryLimit", 10) <= MOST_REVISIONS:
            yield f"{each}: keeps {each.object['spec'].get('revisionHistoryLimit', 10)} revisions"
    migrating_s = max(
        (job["spec"].get("activeDeadlineSeconds", 0) for job in reading.of_kind(objects, "Job")), default=0
    )
    for each in reading.workloads(objects, "Deployment"):
        if each.object["spec"].get("progressDeadlineSeconds", 600) < migrating_s:
            yield f"{each}: is given up while migrate still runs"


def grace(objects: Objects) -> Iterator[str]:
    """Of each role: what it needs to stop < the time until it is killed. For workers by their queues' `drain_s`."""
    drains = {deployment(spec): spec.drain_s for spec in QUEUES}
    for each in reading.workloads(objects, "Deployment"):
        given_s = each.pod.get("terminationGracePeriodSeconds", 30)
        needed_s: float
        match each.labels.get("app.kubernetes.io/component"):
            case "web":
                needed_s = _sleep_before_stop_s(each) + _graceful_timeout_s() + SPARE_S
            case "worker":
                soft_s = float(reading.environment(each, objects)["WORKER_SOFT_SHUTDOWN_S"])
                needed_s = soft_s + HANDING_BACK_S
                if soft_s <= drains.get(each.name, 0):
                    yield f"{each}: its usual jobs need {drains[each.name]} s to end, and get {soft_s}"
            case "relay":
                needed_s = RELAY_PASS_S + SPARE_S
            case _:
                needed_s = SPARE_S
        if given_s < needed_s:
            yield f"{each}: needs {needed_s} s to stop, and is killed after {given_s}"


def drains_endpoints_only(objects: Objects) -> Iterator[str]:
    """Web waits until nobody is sent to it; for all others a preStop would only be lost time."""
    for each in reading.workloads(objects):
        is_web = each.kind == "Deployment" and each.name == "web"
        if is_web and _sleep_before_stop_s(each) < ENDPOINTS_FORGET_S:
            yield f"{each}: stops while it is still sent requests"
        if not is_web and "preStop" in each.main.get("lifecycle", {}):
            yield f"{each}: waits before it stops, for nothing"


def waits_for_migrations(objects: Objects) -> Iterator[str]:
    """Each role that uses the database first runs the check, from its own image and with its own settings."""
    for each in reading.workloads(objects, "Deployment"):
        if not _waits(each):
            continue
        first = each.pod.get("initContainers", [{}])[0]
        if first.get("command") != ["python", "manage.py", "provisioned"]:
            yield f"{each}: does not wait for migrate"
        elif first["image"] != each.main["image"]:
            yield f"{each}: waits for the migrations of another image"
        elif first.get("envFrom") != each.main.get("envFrom"):
            yield f"{each}: waits with other settings than it has"
        elif _mounts(first) - _mounts(each.main):
            yield f"{each}: waits with other files than it has"


def migrates_once(objects: Objects) -> Iterator[str]:
    """One Job, one pod at a time, of web's image, for a bounded time; it can be made anew by each release."""
    jobs = reading.workloads(objects, "Job")
    if [job.name for job in jobs] != ["migrate"]:
        yield f"the jobs are {[job.name for job in jobs]}"
        return
    spec, meta = jobs[0].object["spec"], jobs[0].object["metadata"]
    if (spec.get("parallelism"), spec.get("completions")) != (1, 1):
        yield "more than one pod migrates"
    if "activeDeadlineSeconds" not in spec or spec.get("backoffLimit", 6) > MOST_TRIES:
        yield "migrate tries for ever"
    if "ttlSecondsAfterFinished" in spec:
        yield "Argo CD and Flux would miss a Job that goes by itself, and run it again"
    web = reading.named(objects, "Deployment", "web")
    if web and jobs[0].main["image"] != web["spec"]["template"]["spec"]["containers"][0]["image"]:
        yield "migrate is of another release than web"
    if (
        not {"argocd.argoproj.io/sync-options", "kustomize.toolkit.fluxcd.io/force"}
        <= meta.get("annotations", {}).keys()
    ):
        yield "Argo CD or Flux would fail at the second release: a Job cannot be changed"


def spread(objects: Objects) -> Iterator[str]:
    """Pods of one role are on different nodes and in different zones; where that cannot be, they start anyway."""
    for each in reading.workloads(objects, "Deployment"):
        constraints = {one["topologyKey"]: one for one in each.pod.get("topologySpreadConstraints", ())}
        for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone"):
            constraint = constraints.get(key)
            if constraint is None:
                yield f"{each}: is not spread over {key}"
            elif not reading.selects(constraint["labelSelector"], each.labels):
                yield f"{each}: spreads other pods than its own"
            elif constraint["whenUnsatisfiable"] != "ScheduleAnyway":
                yield f"{each}: does not start where {key} is one"


def _waits(each: reading.Workload) -> bool:
    """Whether it uses our tables; the exporter has nothing to lose by a login that fails at first."""
    return each.labels.get("postgres-client") == "true" and each.name != "postgres-exporter"


def _sleep_before_stop_s(each: reading.Workload) -> int:
    seconds: int = each.main.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    return seconds


def _graceful_timeout_s() -> int:
    tree = ast.parse((ROOT / "services/web/gunicorn.conf.py").read_text())
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name("graceful_timeout")], value=ast.Constant(int(seconds))):
                return seconds
    raise LookupError("services/web/gunicorn.conf.py says no graceful_timeout")


def _mounts(container: Object) -> set[str]:
    return {mount["mountPath"] for mount in container.get("volumeMounts", ())}
