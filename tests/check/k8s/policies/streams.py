"""Live streams (SSE, WebSocket) and uploads: what stands before web lets them through, and web lets them go."""

import ast
import re
from collections.abc import Iterator

from tests.check.k8s import reading
from tests.check.k8s.builds import ROOT, Object

type Objects = tuple[Object, ...]

LIVE = ROOT / "src/warren/jobs/live"
MIB = 2**20
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
# Annotations of Ingress controllers, by what they bound; a controller heeds its own.
SILENCE = (
    "nginx.ingress.kubernetes.io/proxy-read-timeout",
    "nginx.org/proxy-read-timeout",
    "haproxy.org/timeout-server",
    "haproxy.org/timeout-tunnel",
    "alb.ingress.kubernetes.io/load-balancer-attributes",
)
BODIES = ("nginx.ingress.kubernetes.io/proxy-body-size", "nginx.org/client-max-body-size")
UNBUFFERED = {"nginx.ingress.kubernetes.io/proxy-buffering": "off", "nginx.org/proxy-buffering": "false"}


def route_sets_no_end(objects: Objects) -> Iterator[str]:
    """A stream lasts as long as its reader; a route that times requests would cut it."""
    for route in reading.of_kind(objects, "HTTPRoute"):
        for rule in route["spec"]["rules"]:
            if rule.get("timeouts", {}).get("request") != "0s" or "backendRequest" in rule["timeouts"]:
                yield f"HTTPRoute {reading.name_of(route)}: ends streams"


def ingress_lets_streams_and_uploads_pass(objects: Objects) -> Iterator[str]:
    """For the controllers that are widely used: silence as long as ours may be, unbuffered, and bodies of our size."""
    for ingress in reading.of_kind(objects, "Ingress"):
        said = ingress["metadata"].get("annotations", {})
        yield from (
            f"{name}: cuts a stream that is silent" for name in SILENCE if _seconds(said.get(name)) < _silent_s()
        )
        yield from (f"{name}: uploads are refused" for name in BODIES if _mib(said.get(name)) * MIB <= _upload(objects))
        yield from (f"{name}: events wait for each other" for name, off in UNBUFFERED.items() if said.get(name) != off)
        if said.get("nginx.org/websocket-services") != "web":
            yield "nginx.org/websocket-services: no WebSocket passes"


def _silent_s() -> float:
    """Twice as long as a stream may say nothing."""
    return 2 * max(_number("consumer.py", "QUIET_S"), _number("sse.py", "KEEP_ALIVE_S"))


def _number(file: str, name: str) -> float:
    for node in ast.parse((LIVE / file).read_text()).body:
        match node:
            case ast.Assign(targets=[ast.Name(found)], value=ast.Constant(float(number))) if found == name:
                return number
    raise LookupError(f"{file} says no {name}")


def _seconds(text: str | None) -> int:
    found = re.search(r"(\d+)([smh]?)$", text or "")
    return int(found[1]) * UNITS[found[2]] if found else 0


def _mib(text: str | None) -> int:
    found = re.fullmatch(r"(\d+)m", text or "")
    return int(found[1]) if found else 0


def _upload(objects: Objects) -> int:
    web = next(each for each in reading.workloads(objects, "Deployment") if each.name == "web")
    return int(reading.environment(web, objects)["UPLOAD_MAX_BYTES"])
