"""Prints what .env holds as Kubernetes' Secrets, one for each role: `python k8s/host/secrets_of_env.py NAMESPACE`.

Which secret is whose is what Compose's service `secrets` says, so the files are the same in both; the exporter's login,
which compose/observability.yaml adds, is migrate's to make and the component `monitoring`'s to use. Who has no
monitoring needs none: an .env of an older release may lack it.
"""

import json
import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
INTERPOLATION = re.compile(r"\$\{(?P<name>[A-Z_]+)(?::(?P<kind>[?-])(?P<text>[^}]*))?\}")
# `${NAME:?what to do}`
OPTIONAL = re.compile(r"\$\{([A-Z_]+):\?[^}]*\}")


def secrets(stack: str, observability: str, dotenv: str, *, namespace: str) -> list[dict[str, object]]:
    """The Secrets. Raises `LookupError` for a value that .env lacks, with what Compose's files say to do."""
    values = dict(line.split("=", 1) for line in dotenv.splitlines() if re.match("[A-Z]", line))
    files: dict[str, dict[str, str]] = {}
    wanted = yaml.safe_load(stack)["services"]["secrets"]["environment"]
    more = yaml.safe_load(observability)["services"]["secrets"]["environment"]
    wanted |= {key: OPTIONAL.sub("${\\1:-}", value) for key, value in more.items() if key.startswith("migrate.")}
    for key, value in wanted.items():
        role, _, name = key.partition(".")
        files.setdefault(role, {})[name] = _interpolated(str(value), values)
    return [_secret(f"warren-{role}", content, namespace=namespace) for role, content in files.items()]


def _interpolated(text: str, values: dict[str, str]) -> str:
    def value_of(found: re.Match[str]) -> str:
        value = values.get(found["name"], "")
        if not value and found["kind"] == "?":
            raise LookupError(f"{found['name']} is not in .env: {found['text']}")
        return value or (found["text"] if found["kind"] == "-" else "")

    return INTERPOLATION.sub(value_of, text)


def _secret(name: str, content: dict[str, str], *, namespace: str) -> dict[str, object]:
    labels = {"app.kubernetes.io/part-of": "warren"}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "type": "Opaque",
        "stringData": content,
    }


if __name__ == "__main__":
    files = ("compose/stack.yaml", "compose/observability.yaml", ".env")
    try:
        made = secrets(*((ROOT / file).read_text() for file in files), namespace=sys.argv[1])
    except LookupError as exc:
        sys.exit(f"secrets: {exc}")
    sys.stdout.write(json.dumps({"apiVersion": "v1", "kind": "List", "items": made}))
