"""Why a form was refused, for the page: messages by field; those of "" belong to no field."""

from collections.abc import Iterator, Mapping
from typing import Any

from rest_framework.exceptions import APIException

GENERAL = ""
_FOR_PROGRAMS = "accepts"  # what the task takes, in one line: the form itself says it


def by_field(detail: Any, *, fields: set[str]) -> dict[str, list[str]]:
    """The messages of DRF's nested detail, each at the field of the form that it is about."""
    found: dict[str, list[str]] = {}
    for path, message in _leaves(detail, ()):
        name, where = _place(path, fields)
        found.setdefault(name, []).append(f"Line {where + 1}: {message}" if where is not None else message)
    return found


def of(exc: APIException, *, fields: set[str]) -> dict[str, list[str]]:
    """The messages of an exception of the API."""
    return by_field(exc.detail, fields=fields)


def _place(path: tuple[Any, ...], fields: set[str]) -> tuple[str, int | None]:
    """The field, and the index in its list, if it is one."""
    parts = [part for each in path for part in (each.split(".") if isinstance(each, str) else [each])]
    name = next((part for part in parts if part in fields), GENERAL)
    index = next((part for part in parts if isinstance(part, int)), None)
    return name, index


def _leaves(detail: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], str]]:
    match detail:
        case Mapping():
            for key, value in detail.items():
                if key != _FOR_PROGRAMS:
                    yield from _leaves(value, (*path, key))
        case list():
            for value in detail:
                yield from _leaves(value, path)
        case _:
            yield path, str(detail)
