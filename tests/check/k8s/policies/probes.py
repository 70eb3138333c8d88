"""Startup, readiness and liveness: three questions, three answers."""

from collections.abc import Iterator

from tests.check.k8s import reading
from tests.check.k8s.builds import Object

type Objects = tuple[Object, ...]

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")

# What asks nobody but the process itself. A liveness that asks Postgres makes of one outage a restart of everything.
ASKS_NOBODY = {
    "/",
    "/livez",
    "/healthcheck",
    "/srv/worker/healthcheck alive",
    "/srv/beat/healthcheck beat",
    "/srv/beat/healthcheck relay",
    "bash -c </dev/tcp/127.0.0.1/5672",
    "tcp postgres",
}
SHORTEST_PATIENCE_S = 45  # a relay at a broker that hangs is silent for half a minute, and well
SHORTEST_TIMEOUT_S = 5  # for a bash to start on a busy node
LONGEST_DOUBT_S = 30  # docs/architecture.md: a worker that stopped consuming is found out within that


def apart(objects: Objects) -> Iterator[str]:
    """Whatever runs for ever has all three; and whoever depends on others says so by readiness alone."""
    for each in reading.workloads(objects, "Deployment", "StatefulSet"):
        missing = [probe for probe in PROBES if probe not in each.main]
        if missing:
            yield f"{each}: has no {', '.join(missing)}"
            continue
        for probe in ("startupProbe", "livenessProbe"):
            if each.kind == "Deployment" and question(each.main[probe]) not in ASKS_NOBODY:
                yield f"{each}: its {probe} may ask others: {question(each.main[probe])}"
        if question(each.main["livenessProbe"]) not in ASKS_NOBODY:
            yield f"{each}: its livenessProbe may ask others: {question(each.main['livenessProbe'])}"


def readiness_asks_for_what_is_needed(objects: Objects) -> Iterator[str]:
    """Web asks Postgres, a worker whether it consumes."""
    for each in reading.workloads(objects, "Deployment"):
        asked = question(each.main.get("readinessProbe", {}))
        if each.name == "web" and asked != "/readyz":
            yield f"{each}: is ready without Postgres"
        if each.name.startswith("worker") and asked != "/srv/worker/healthcheck ready":
            yield f"{each}: is ready though it consumes nothing"


def patient(objects: Objects) -> Iterator[str]:
    """A restart is the last resort: it comes later than readiness, and not for a moment's silence."""
    for each in reading.workloads(objects, "Deployment", "StatefulSet"):
        if any(probe not in each.main for probe in PROBES):
            continue
        liveness, readiness = each.main["livenessProbe"], each.main["readinessProbe"]
        if _doubt_s(liveness) < SHORTEST_PATIENCE_S:
            yield f"{each}: is restarted after {_doubt_s(liveness)} s"
        if _doubt_s(readiness) > LONGEST_DOUBT_S:
            yield f"{each}: is believed for {_doubt_s(readiness)} s"
        if _doubt_s(each.main["startupProbe"]) < _doubt_s(liveness):
            yield f"{each}: has less time to start than to be in doubt"
        if any(each.main[probe].get("timeoutSeconds", 1) < SHORTEST_TIMEOUT_S for probe in PROBES):
            yield f"{each}: a busy node's answer would come too late"


def cheap(objects: Objects) -> Iterator[str]:
    """No probe starts a Python, which costs more than an idle worker."""
    for each in reading.workloads(objects, "Deployment", "StatefulSet"):
        for probe in PROBES:
            asked = question(each.main.get(probe, {}))
            if any(word in asked for word in ("python", "manage.py", "celery", "rabbitmqctl", "diagnostics")):
                yield f"{each}: its {probe} costs too much: {asked}"


def question(probe: Object) -> str:
    """What a probe asks, in words."""
    if "httpGet" in probe:
        return str(probe["httpGet"]["path"])
    if "exec" in probe:
        return " ".join(probe["exec"]["command"])
    return f"tcp {probe['tcpSocket']['port']}" if "tcpSocket" in probe else "nothing"


def _doubt_s(probe: Object) -> int:
    return int(probe.get("periodSeconds", 10)) * int(probe.get("failureThreshold", 3))
