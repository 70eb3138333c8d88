"""RabbitMQ's alarms and disk, from the figures that each node publishes inside the network for anybody to read."""

import httpx

from warren.doctor import broker
from warren.doctor.checks.rabbitmq import ALARMS, REACHABLE
from warren.doctor.finding import Check, Finding, fail, ok, skipped, warn

PORT = 15692  # prometheus.tcp.port in services/rabbitmq/rabbitmq.conf
NAMES = {
    "rabbitmq_alarms_memory_used_watermark": "memory",
    "rabbitmq_alarms_free_disk_space_watermark": "disk",
    "rabbitmq_alarms_file_descriptor_limit": "file descriptors",
}
FREE, LEAST = "rabbitmq_disk_space_available_bytes", "rabbitmq_disk_space_available_limit_bytes"
CUT_OFF = "rabbitmq_unreachable_cluster_peers_count"
NEAR = 2  # times the least
GB = 1e9


def alarms() -> Finding:
    """No alarm on any node: under one it takes no message, and connections that publish are blocked."""
    told = []
    for node in broker.nodes():
        try:
            figures = _read(node.host)
        except httpx.HTTPError as exc:
            told.append(f"{node.host} cannot be asked ({str(exc) or type(exc).__name__})")
            continue
        if raised := [what for name, what in NAMES.items() if figures.get(name)]:
            said = f"{node.host} has an alarm for {' and '.join(raised)}: it takes no message, jobs wait in Postgres"
            return fail(said, do=ALARMS)
        if figures.get(CUT_OFF):
            return fail(f"{node.host} does not see {figures[CUT_OFF]:.0f} of its cluster", do=ALARMS)
        free, least = figures.get(FREE, 0.0), figures.get(LEAST, 0.0)
        said = f"{node.host} has {free / GB:.1f} GB of disk free, and needs {least / GB:.1f}"
        if free < NEAR * least:
            return warn(said, do=ALARMS)
        told.append(f"no alarm; {said}")
    known = any(each.startswith("no alarm") for each in told)
    return ok("; ".join(told)) if known else skipped("; ".join(told))


def _read(host: str) -> dict[str, float]:
    answer = httpx.get(f"http://{host}:{PORT}/metrics", timeout=broker.TIMEOUT_S)
    answer.raise_for_status()
    lines = (line.rpartition(" ") for line in answer.text.splitlines() if line.startswith("rabbitmq_"))
    wanted = {*NAMES, FREE, LEAST, CUT_OFF}
    figures: dict[str, float] = {}
    for name, _, value in lines:
        bare = name.partition("{")[0]
        if bare in wanted:
            figures[bare] = max(figures.get(bare, 0.0), float(value))
    return figures


CHECKS = (Check(name="rabbitmq.alarms", examine=alarms, needs=(REACHABLE,)),)
