"""Who may talk to whom: each real connection is allowed, and what nobody needs is not.

Policies add up: a pod that some policy of a direction selects may do what any of them allows, and nothing else.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from tests.check.k8s import reading
from tests.check.k8s.builds import Object

type Objects = tuple[Object, ...]

SHOWS_FIGURES = {"web", "worker-cpu", "worker-io", "beat", "relay"}
USES_POSTGRES = {*SHOWS_FIGURES, "migrate", "backup"}
USES_RABBITMQ = {"web", "worker-cpu", "worker-io", "relay", "migrate", "flower"}
USES_MANAGEMENT = {"migrate", "flower"}


@dataclass(frozen=True, kw_only=True)
class End:
    """One end of a connection: a pod by its labels, in our namespace or another, or an address outside."""

    labels: tuple[tuple[str, str], ...] = ()
    namespace: str | None = None  # None is ours
    address: str | None = None


# what it is called, from where, to where, the port
type Connection = tuple[str, End, End, int]


def default_deny(objects: Objects) -> Iterator[str]:
    """Where there are policies at all, one takes everything from everybody."""
    policies = reading.of_kind(objects, "NetworkPolicy")
    nothing = [
        each
        for each in policies
        if each["spec"]["podSelector"] == {} and not {"ingress", "egress"} & each["spec"].keys()
    ]
    if policies and not any(set(each["spec"]["policyTypes"]) == {"Ingress", "Egress"} for each in nothing):
        yield "no policy denies by default"


def real_connections_pass(objects: Objects) -> Iterator[str]:
    """Each connection that there really is, at both of its ends."""
    for name, source, target, port in _needed(objects):
        if not _passes(objects, source, target, port):
            yield f"{name}:{port} does not pass"


def nothing_else_passes(objects: Objects) -> Iterator[str]:
    """A choice of connections that there must not be."""
    for name, source, target, port in _forbidden(objects):
        if _passes(objects, source, target, port):
            yield f"{name}:{port} passes"


def _needed(objects: Objects) -> Iterator[Connection]:
    if reading.of_kind(objects, "NetworkPolicy"):
        for name, pod in _pods(objects).items():
            yield from _needed_by(name, pod, objects)
        yield from _needed_by_operators(objects)


def _needed_by(name: str, pod: End, objects: Objects) -> Iterator[Connection]:
    tls = bool(reading.of_kind(objects, "Certificate"))
    postgres, rabbitmq = _store(objects, "postgres"), _store(objects, "rabbitmq")
    yield f"{name} → DNS", pod, End(namespace="kube-system"), 53
    if postgres and name in {*USES_POSTGRES, "postgres-exporter"}:
        yield f"{name} → postgres", pod, postgres, 5432
    if rabbitmq and name in USES_RABBITMQ:
        yield f"{name} → rabbitmq", pod, rabbitmq, 5671 if tls else 5672
    if rabbitmq and name in USES_MANAGEMENT:
        yield f"{name} → rabbitmq's API", pod, rabbitmq, 15671 if tls else 15672
    if name in SHOWS_FIGURES:
        yield f"Prometheus → {name}", End(namespace="monitoring"), pod, 9464
    if name == "postgres-exporter":
        yield f"Prometheus → {name}", End(namespace="monitoring"), pod, 9187
    if name == "web":
        yield "the gateway → web", End(namespace="gateway"), pod, 8000
    if name == "worker-io":
        yield "worker-io → the web", pod, End(address="198.51.100.7"), 443
        yield "worker-io → a mail server", pod, End(address="198.51.100.7"), 587
        for port in _webhook_ports(objects):
            yield "worker-io → a webhook's receiver", pod, End(address="198.51.100.7"), port
        yield "worker-io → the web by IPv6", pod, End(address="2001:db8::7"), 443
    if name in SHOWS_FIGURES and "OTEL_EXPORTER_OTLP_ENDPOINT" in str(reading.of_kind(objects, "ConfigMap")):
        yield f"{name} → the collector", pod, End(namespace="observability"), 4318


def _webhook_ports(objects: Objects) -> list[int]:
    worker = next(each for each in reading.workloads(objects) if each.name == "worker-io")
    return [int(port) for port in reading.environment(worker, objects)["WEBHOOK_PORTS"].split(",")]


def _needed_by_operators(objects: Objects) -> Iterator[Connection]:
    tls = bool(reading.of_kind(objects, "Certificate"))
    postgres, rabbitmq = _store(objects, "postgres"), _store(objects, "rabbitmq")
    if rabbitmq and reading.of_kind(objects, "ScaledObject"):
        yield "KEDA → rabbitmq's API", End(namespace="keda"), rabbitmq, 15671 if tls else 15672
    if rabbitmq and reading.of_kind(objects, "RabbitmqCluster"):
        yield "rabbitmq → rabbitmq", rabbitmq, rabbitmq, 25672
        yield "rabbitmq → epmd", rabbitmq, rabbitmq, 4369
        yield "rabbitmq → Kubernetes", rabbitmq, End(address="10.0.0.1"), 443
    if postgres and reading.of_kind(objects, "Cluster"):
        yield "postgres → postgres", postgres, postgres, 5432
        yield "postgres → Kubernetes", postgres, End(address="10.0.0.1"), 443
        yield "its operator → postgres", End(namespace="cnpg-system"), postgres, 8000


def _forbidden(objects: Objects) -> Iterator[Connection]:
    if not reading.of_kind(objects, "NetworkPolicy"):
        return
    pods, postgres, rabbitmq = _pods(objects), _store(objects, "postgres"), _store(objects, "rabbitmq")
    outside, stranger = End(address="198.51.100.7"), End(namespace="somebody-elses")
    for name, pod in pods.items():
        if not name.startswith("worker-io"):
            yield f"{name} → the web", pod, outside, 443
        for private in ("10.0.0.9", "169.254.169.254", "192.168.1.1", "fd00::1", "::ffff:a00:1"):
            if name not in {"postgres", "rabbitmq"}:
                yield f"{name} → {private}", pod, End(address=private), 443
        if name != "web":
            yield f"a stranger → {name}", stranger, pod, 8000
            yield f"web → {name}", pods["web"], pod, 8000
        for port in (9464, 9187, 15692):
            yield f"a stranger → {name}'s figures", stranger, pod, port
        yield f"the gateway → {name}'s figures", End(namespace="gateway"), pod, 9464
    yield "a stranger → flower", stranger, pods["flower"], 5555
    if postgres:
        yield "flower → postgres", pods["flower"], postgres, 5432
        yield "a stranger → postgres", stranger, postgres, 5432
        yield "a pod without a role → postgres", End(labels=(("app.kubernetes.io/name", "else"),)), postgres, 5432
    if rabbitmq:
        yield "beat → rabbitmq", pods["beat"], rabbitmq, 5672
        yield "a worker → rabbitmq's API", pods["worker-cpu"], rabbitmq, 15672
        yield "web → rabbitmq's nodes", pods["web"], rabbitmq, 25672
        yield "a stranger → rabbitmq", stranger, rabbitmq, 5672


def _pods(objects: Objects) -> dict[str, End]:
    return {each.name: End(labels=tuple(each.labels.items())) for each in reading.workloads(objects)}


def _store(objects: Objects, name: str) -> End | None:
    """Postgres' or RabbitMQ's pods, ours or an operator's, with the labels that operators give."""
    if name in _pods(objects):
        return _pods(objects)[name]
    if name == "rabbitmq" and reading.of_kind(objects, "RabbitmqCluster"):
        return End(labels=(("app.kubernetes.io/name", name), ("app.kubernetes.io/part-of", name)))
    for cluster in reading.of_kind(objects, "Cluster") if name == "postgres" else ():
        own = {"cnpg.io/cluster": reading.name_of(cluster)} | cluster["spec"].get("inheritedMetadata", {}).get(
            "labels", {}
        )
        return End(labels=tuple(own.items()))
    return None


def _passes(objects: Objects, source: End, target: End, port: int) -> bool:
    return _allows(objects, "egress", source, target, port) and _allows(objects, "ingress", target, source, port)


def _allows(objects: Objects, direction: str, own: End, other: End, port: int) -> bool:
    if own.namespace or own.address:
        return True  # not ours to say
    policies = [
        each["spec"]
        for each in reading.of_kind(objects, "NetworkPolicy")
        if reading.selects(each["spec"]["podSelector"], dict(own.labels))
        and direction.title() in each["spec"]["policyTypes"]
    ]
    rules = [rule for spec in policies for rule in spec.get(direction, ())]
    return not policies or any(
        _rule_allows(rule, "to" if direction == "egress" else "from", other, port) for rule in rules
    )


def _rule_allows(rule: Object, peers: str, other: End, port: int) -> bool:
    if "ports" in rule and port not in {each["port"] for each in rule["ports"]}:
        return False
    return peers not in rule or any(_is_peer(peer, other) for peer in rule[peers])


def _is_peer(peer: Object, other: End) -> bool:
    if "ipBlock" in peer:
        return other.address is not None and _within(peer["ipBlock"], other.address)
    if other.address is not None:
        return False
    if "namespaceSelector" in peer:
        labels = {"kubernetes.io/metadata.name": other.namespace or "warren"}
        if not reading.selects(peer["namespaceSelector"], labels):
            return False
    elif other.namespace is not None:
        return False
    return reading.selects(peer.get("podSelector", {}), dict(other.labels))


def _within(block: Object, address: str) -> bool:
    found = ipaddress.ip_address(address)
    # what is written as IPv6 goes out as IPv4, where the blocks of IPv4 are asked
    found = getattr(found, "ipv4_mapped", None) or found
    if found.version != ipaddress.ip_network(block["cidr"]).version:
        return False
    is_excepted = any(found in ipaddress.ip_network(each) for each in block.get("except", ()))
    return found in ipaddress.ip_network(block["cidr"]) and not is_excepted
