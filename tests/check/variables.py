"""Which environment variables this repository reads, which .env.example declares, and which reach a process.

A value travels in two steps: compose interpolates a variable of .env, and hands a variable to a container, where
settings.py, a start script or a service's configuration reads it. Each step is compared on its own.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

NOT_FROM_DOTENV = {
    "CI": "set by CI machines, not by people",
    "SOURCE_MODE": "set by compose/host/check",
    "WARREN_COMMIT": "found out by compose/host/compose",
    "WARREN_VERSION": "found out by compose/host/compose",
    "WARREN_TAG": "set in the shell by who keeps images of several versions, or works in several clones, side by side",
}
_NEEDS_NO_TLS = "Compose's own network is private; Kubernetes sets it (k8s/components/tls), an overlay may"
NOT_FROM_COMPOSE = {
    "HEARTBEAT_DIR": "the same mount in every container; unit tests move it",
    "MEDIA_ROOT": "the same mount in every container; unit tests move it",
    **dict.fromkeys(("BROKER_TLS_CA", "BROKER_TLS_CERT", "BROKER_TLS_KEY"), _NEEDS_NO_TLS),
    **dict.fromkeys(("POSTGRES_TLS_CA", "POSTGRES_TLS_CERT", "POSTGRES_TLS_KEY"), _NEEDS_NO_TLS),
    "POSTGRES_PORT": "the same in every container; a managed Postgres outside may have another",
}
NAME = r"[A-Z_][A-Z0-9_]*"
COMPOSE_READ = re.compile(rf"(?<!\$)\$(?:\{{)?({NAME})")
SHELL_READ = re.compile(rf"(?<!\\)\$(?:\{{[#!]?)?({NAME})")
SHELL_SET = re.compile(rf"(?:^|[\s;(])(?:(?:for|read(?: -\w+)*)\s+({NAME})\b|({NAME})=)", re.MULTILINE)


def declared(root: Path) -> set[str]:
    """Give the names that .env.example has a line for."""
    return set(re.findall(rf"^({NAME})=", (root / ".env.example").read_text(), re.MULTILINE))


def interpolated(root: Path) -> set[str]:
    """Give the names that compose files take from .env."""
    scalars = (
        token.value
        for path in compose_files(root)
        for token in yaml.scan(path.read_text())
        if isinstance(token, yaml.ScalarToken)
    )
    return {name for scalar in scalars for name in COMPOSE_READ.findall(scalar)} - NOT_FROM_DOTENV.keys()


def handed_on(root: Path) -> set[str]:
    """Give the names that containers get, from a compose file or from their image; X_FILE stands for X."""
    names = {name for path in root.glob("services/*/Dockerfile") for name in _set_by_dockerfile(path.read_text())}
    for path in compose_files(root):
        document = yaml.load(path.read_text(), _ComposeLoader)  # noqa: S506  it is a SafeLoader with compose's tags
        # a service that an overlay takes away is null
        for service in filter(None, (document.get("services") or {}).values()):
            names |= {entry.split("=")[0] for entry in service.get("environment") or {}}
    return names | {name.removesuffix("_FILE") for name in names}


def read_in_containers(root: Path) -> set[str]:
    """Give the names that settings.py, the start scripts and the services' configurations read."""
    python = [*root.glob("src/warren/config/settings.py"), *root.glob("services/*/*.py")]
    scripts = [*root.glob("services/*/start"), *root.glob("services/*/healthcheck")]
    names = {name for path in python for name in _read_by_python(ast.parse(path.read_text()))}
    names |= {name for path in scripts for name in _read_by_script(path.read_text())}
    return names - NOT_FROM_COMPOSE.keys()


def compose_files(root: Path) -> list[Path]:
    return [*root.glob("compose.yaml"), *sorted(root.glob("compose/*.yaml"))]


def _read_by_python(tree: ast.AST) -> Iterator[str]:
    """Find `env.anything("NAME", …)`, `os.environ.get("NAME")` and `os.environ["NAME"]`."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name("env")), args=[ast.Constant(str(name)), *_]):
                yield name
            case ast.Call(func=ast.Attribute(ast.Attribute(attr="environ"), "get"), args=[ast.Constant(str(name)), *_]):
                yield name
            case ast.Subscript(value=ast.Attribute(attr="environ"), slice=ast.Constant(str(name))):
                yield name


def _read_by_script(text: str) -> set[str]:
    code = re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)
    return set(SHELL_READ.findall(code)) - {name for pair in SHELL_SET.findall(code) for name in pair}


def _set_by_dockerfile(text: str) -> set[str]:
    instructions = re.findall(r"^ENV ((?:.*\\\n)*.*)", text, re.MULTILINE)
    return {name for instruction in instructions for name in re.findall(rf"(?:^|\s)({NAME})=", instruction)}


class _ComposeLoader(yaml.SafeLoader):
    """Reads compose's own tags (!reset, !override) as the values that they mark."""


def _value_of_tag(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return None


_ComposeLoader.add_multi_constructor("!", _value_of_tag)
