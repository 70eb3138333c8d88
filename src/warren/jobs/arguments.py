"""Maps what a caller sent onto a task's declared arguments, and validates it."""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework.exceptions import ValidationError

from warren.delivery.task import JobTask
from warren.jobs import callable_tasks


def validated(task: JobTask, *, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The call's keyword arguments; `args` fill the declared ones in order.

    Raises `ValidationError` (400) that names each wrong argument and says what the task takes.
    """
    given, errors = _by_name(list(task.arguments().fields), args, kwargs)
    if not errors:
        serializer = task.arguments(data=given)
        if serializer.is_valid():
            return dict(serializer.validated_data)
        errors = {f"arguments.{name}": messages for name, messages in serializer.errors.items()}
    raise ValidationError({**errors, "accepts": [callable_tasks.accepts(task)]})


def _by_name(
    names: list[str], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, list[str]]]:
    errors: dict[str, list[str]] = {}
    if len(args) > len(names):
        errors["args"] = [f"{len(args)} were given; the task takes at most {len(names)}."]
    given = dict(zip(names, args, strict=False))
    for name in kwargs:
        if name not in names:
            errors[f"kwargs.{name}"] = ["The task takes no argument of this name."]
        elif name in given:
            errors[f"kwargs.{name}"] = ["It is given twice: in args too."]
    return {**given, **kwargs}, errors
