"""A form's fields, made of a task's declared arguments; and what was typed, made into the JSON that the API would get.

Nothing is judged here: the task's serializer does that, for the form as for the API.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from warren.jobs.callable_tasks import Argument

LONG_TEXT = 200  # characters; longer ones get a box of several lines

# HTML's kind of input for each type of argument; the others are boxes of several lines
_KINDS = {
    "boolean": "checkbox",
    "integer": "number",
    "number": "number",
    "date and time": "datetime-local",
    "date": "date",
    "choice": "select",
    "file": "file",
    "string": "text",
}
_HINTS = {"list": "One a line.", "object": "As JSON.", "any": "As JSON."}
_ATTRIBUTES = {"min_value": "min", "max_value": "max", "min_length": "minlength", "max_length": "maxlength"}
_WHOLE = re.compile(r"[+-]?\d+")


@dataclass(frozen=True, kw_only=True)
class Input:
    """One field as the page shows it. `errors` say what is wrong with `value`, which is a text, or True for a tick."""

    name: str
    id: str
    label: str
    kind: str
    value: Any
    required: bool
    help: str
    attributes: dict[str, Any]
    choices: Sequence[str] = ()
    errors: Sequence[str] = field(default_factory=list)

    @property
    def described_by(self) -> str:
        """Ids of what a screen reader reads along with it."""
        parts = [("error", self.errors), ("help", self.help)]
        return " ".join(f"{self.id}-{name}" for name, text in parts if text)


def made_of(
    arguments: Iterable[Argument], *, prefix: str, values: Mapping[str, Any], errors: Mapping[str, Sequence[str]]
) -> list[Input]:
    """The form's fields; `prefix` makes their ids differ from those of another form on the page."""
    return [
        _input(each, prefix=prefix, value=values.get(each.name, ""), errors=errors.get(each.name, ()))
        for each in arguments
    ]


def typed(arguments: Iterable[Argument], *, post: Any, files: Any) -> dict[str, Any]:
    """What a browser sent, as it is shown again: texts, True for a tick, a file. What was left empty is absent."""
    given: dict[str, Any] = {}
    for each in arguments:
        value = files.get(each.name) if each.type == "file" else post.get(each.name, "")
        if each.type == "boolean":
            value = each.name in post
        if value not in ("", None):
            given[each.name] = value
    return given


def as_json(arguments: Iterable[Argument], *, given: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed, as a caller of the API would send it; what cannot be read stays a text, for the serializer."""
    return {each.name: _read(each.type, given[each.name]) for each in arguments if each.name in given}


def _input(argument: Argument, *, prefix: str, value: Any, errors: Sequence[str]) -> Input:
    kind = _KINDS.get(argument.type, "textarea")
    if kind == "text" and argument.bounds.get("max_length", LONG_TEXT + 1) > LONG_TEXT:
        kind = "textarea"
    attributes = {_ATTRIBUTES[name]: limit for name, limit in argument.bounds.items() if name in _ATTRIBUTES}
    if argument.type == "list":
        attributes = {}  # its length is in lines
    if kind == "number":
        attributes["step"] = 1 if argument.type == "integer" else "any"
    if kind == "datetime-local":
        attributes["step"] = 1
    return Input(
        name=argument.name,
        id=f"{prefix}-{argument.name}".replace(".", "-"),
        label=argument.name.replace("_", " ").capitalize(),
        kind=kind,
        value="" if kind == "file" else value,
        required=argument.required,
        help=" ".join(filter(None, (argument.help, _HINTS.get(argument.type)))),
        attributes=attributes,
        choices=argument.bounds.get("choices", ()),
        errors=list(errors),
    )


def _read(type_: str, value: Any) -> Any:
    match type_:
        case "number" | "integer":
            return _number(value)
        case "list":
            lines = [line.strip() for line in value.splitlines() if line.strip()]
            return _json(value) if value.lstrip().startswith("[") else lines
        case "object" | "any":
            return _json(value)
    return value


def _number(text: str) -> int | float | str:
    text = text.strip()
    if _WHOLE.fullmatch(text):
        return int(text) if len(text) < LONG_TEXT else text
    try:
        return float(text)
    except ValueError:
        return text


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
