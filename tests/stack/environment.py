"""The environment file of a stack under test: .env.example with secrets and ports of its own."""

import secrets
import socket
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / ".env.example"
# chosen on the host, and handed on in the environment
FROM_THE_HOST = (
    "PYTHON_IMAGE",
    "RABBITMQ_IMAGE",
    "REDIS_IMAGE",
    "POSTGRES_IMAGE",
    "PROMETHEUS_IMAGE",
    "POSTGRES_EXPORTER_IMAGE",
    "CA_BUNDLE",
)

# What differs from .env.example in every test: all tests come from one address, and waiting costs the suite's time.
FOR_TESTS = {
    "REGISTER_RATE": "10000/hour",
    "TOKEN_RATE": "10000/hour",
    "WORKER_SOFT_SHUTDOWN_S": "6",
    "WORKER_STOP_GRACE": "20s",
}


def new(*, project: str) -> dict[str, str]:
    """Values for a project that shares nothing with another on this machine."""
    lines = [line.split("=", 1) for line in EXAMPLE.read_text().splitlines() if line and not line.startswith("#")]
    values = {name: secrets.token_hex(16) if value == "generate" else value for name, value in lines}
    ports = {name: str(_free_port()) for name in ("WEB_PORT", "FLOWER_PORT")}
    chosen = values | FOR_TESTS | ports | {"COMPOSE_PROJECT_NAME": project}
    return {name: value for name, value in chosen.items() if name not in FROM_THE_HOST}


def write(values: dict[str, str], *, to: Path) -> None:
    """Write what docker compose reads with --env-file."""
    to.write_text("".join(f"{name}={value}\n" for name, value in values.items()))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
