"""How a breakage changes what was built: it is given a copy of its own."""

from collections.abc import Callable
from typing import Any

from tests.check.k8s import reading
from tests.check.k8s.builds import Object

type Change = Callable[[list[Object]], None]


def of_deployment(name: str, change: Callable[[Any], object]) -> Change:
    """Change a Deployment."""
    return lambda objects: _do(change, _get(objects, "Deployment", name))


def of_pod(name: str, change: Callable[[Any], object]) -> Change:
    """Change the pod of a Deployment."""
    return lambda objects: _do(change, _get(objects, "Deployment", name)["spec"]["template"]["spec"])


def of_container(name: str, change: Callable[[Any], object]) -> Change:
    """Change the container that does a Deployment's work."""
    return of_pod(name, lambda pod: change(pod["containers"][0]))


def of(kind: str, name: str, change: Callable[[Any], object]) -> Change:
    """Change any object."""
    return lambda objects: _do(change, _get(objects, kind, name))


def all_of(*changes: Change) -> Change:
    """One change after the other."""

    def change(objects: list[Object]) -> None:
        for each in changes:
            each(objects)

    return change


def without(kind: str, name: str) -> Change:
    """Take an object away."""
    return lambda objects: objects.remove(_get(objects, kind, name))


def settings(prefix: str, **values: str) -> Change:
    """Change variables in a ConfigMap."""

    return lambda objects: _settings_of(objects, prefix).update(values)


def without_setting(prefix: str, name: str) -> Change:
    """Take a variable out of a ConfigMap."""
    return lambda objects: _do(lambda data: data.pop(name), _settings_of(objects, prefix))


def _settings_of(objects: list[Object], prefix: str) -> Any:
    configs = reading.of_kind(objects, "ConfigMap")
    return next(each for each in configs if reading.name_of(each).rpartition("-")[0] == prefix)["data"]


def _do(change: Callable[[Any], object], thing: Any) -> None:
    change(thing)


def _get(objects: list[Object], kind: str, name: str) -> Any:
    found = reading.named(objects, kind, name)
    if found is None:
        raise LookupError(f"there is no {kind} {name}")
    return found
