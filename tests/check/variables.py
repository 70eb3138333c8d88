"""Which environment variables this repository reads, and which .env.example declares.

A variable reaches a process in two steps: compose interpolates it from .env, and hands it on under `environment:`. So
what settings.py and the start scripts read counts as read from .env only where no compose file sets it.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

NOT_FROM_DOTENV = {
    "CI": "set by CI machines, not by people",
    "HOME": "set by the shell",
    "HOSTNAME": "set by Docker",
    "PATH": "set by the image",
    "PYTHONPATH": "set by the image",
    "SOURCE_MODE": "set by compose/host/check",
    "VIRTUAL_ENV": "set by the image",
}
NAME = r"[A-Z_][A-Z0-9_]*"
COMPOSE_READ = re.compile(rf"(?<!\$)\$(?:\{{)?({NAME})")
SHELL_READ = re.compile(rf"(?<!\\)\$(?:\{{[#!]?)?({NAME})")
SHELL_SET = re.compile(rf"(?:^|[\s;(])(?:(?:for|read(?: -\w+)*)\s+({NAME})\b|({NAME})=)", re.MULTILINE)


def declared(root: Path) -> set[str]:
    """Give the names that .env.example has a line for."""
    return set(re.findall(rf"^({NAME})=", (root / ".env.example").read_text(), re.MULTILINE))


def read(root: Path) -> set[str]:
    """Give the names whose value has to come from .env."""
    behind_compose = _read_by_settings(root) | _read_by_scripts(root)
    given = _set_by_compose(root)
    return (_read_by_compose(root) | (behind_compose - given)) - NOT_FROM_DOTENV.keys()


def compose_files(root: Path) -> list[Path]:
    return [*root.glob("compose.yaml"), *sorted(root.glob("compose/*.yaml"))]


def _read_by_compose(root: Path) -> set[str]:
    scalars = (
        token.value
        for path in compose_files(root)
        for token in yaml.scan(path.read_text())
        if isinstance(token, yaml.ScalarToken)
    )
    return {name for scalar in scalars for name in COMPOSE_READ.findall(scalar)}


def _set_by_compose(root: Path) -> set[str]:
    names = set()
    for path in compose_files(root):
        for service in (yaml.load(path.read_text(), _ComposeLoader).get("services") or {}).values():  # noqa: S506 - a SafeLoader
            environment = service.get("environment") or {}
            names |= {entry.split("=")[0] for entry in environment}
    return names | {name.removesuffix("_FILE") for name in names}


def _read_by_settings(root: Path) -> set[str]:
    settings = root / "src/warren/config/settings.py"
    return set(_env_calls(ast.parse(settings.read_text()))) if settings.exists() else set()


def _env_calls(tree: ast.AST) -> Iterator[str]:
    """Find `env.anything("NAME", …)`."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name("env")), args=[ast.Constant(str(name)), *_]):
                yield name


def _read_by_scripts(root: Path) -> set[str]:
    names = set()
    for path in [*root.glob("services/*/start"), *root.glob("services/*/healthcheck")]:
        code = re.sub(r"^\s*#.*$", "", path.read_text(), flags=re.MULTILINE)
        names |= set(SHELL_READ.findall(code)) - {name for pair in SHELL_SET.findall(code) for name in pair}
    return names


class _ComposeLoader(yaml.SafeLoader):
    """Reads compose's own tags (!reset, !override) as the values that they mark."""


def _value_of_tag(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return None


_ComposeLoader.add_multi_constructor("!", _value_of_tag)
