"""The tasks that may be called from outside: those that declare `arguments`, a serializer of what they take."""

from dataclasses import asdict, dataclass, field
from typing import Any

from celery import current_app
from rest_framework import serializers

from warren.delivery.task import JobTask
from warren.jobs.errors import UnacceptableError

_TYPES: tuple[tuple[type[serializers.Field[Any, Any, Any, Any]], str], ...] = (
    (serializers.BooleanField, "boolean"),
    (serializers.IntegerField, "integer"),
    (serializers.FloatField, "number"),
    (serializers.DecimalField, "number"),
    (serializers.DateTimeField, "date and time"),
    (serializers.DateField, "date"),
    (serializers.FileField, "file"),
    (serializers.ChoiceField, "choice"),
    (serializers.ListField, "list"),
    (serializers.BaseSerializer, "object"),
    (serializers.DictField, "object"),
    (serializers.CharField, "string"),
)


@dataclass(frozen=True, kw_only=True)
class Argument:
    """One argument as clients are told of it; `bounds` are the limits that its field declares."""

    name: str
    type: str
    required: bool
    help: str
    bounds: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CallableTask:
    """A task that may be called from outside, as clients are told of it. `arguments` are in positional order."""

    name: str
    queue: str
    description: str
    arguments: list[Argument]


def names() -> list[str]:
    """Names of all callable tasks, in alphabetical order."""
    return sorted(_registered())


def find(name: str) -> JobTask:
    """The callable task of this name. Raises `UnacceptableError`, which lists the callable tasks."""
    task = _registered().get(name)
    if task is None:
        raise UnacceptableError(
            {"task": [f"{name!r} is not a task that can be called. Callable: {', '.join(names())}."]}
        )
    return task


def describe(task: JobTask) -> CallableTask:
    """What the task takes and where it runs."""
    return CallableTask(
        name=task.name,
        queue=getattr(task, "queue", None) or current_app.conf.task_default_queue,
        description=(task.__doc__ or "").strip(),
        arguments=arguments_of(task.arguments),
    )


def arguments_of(declared: Any) -> list[Argument]:
    """The arguments that a serializer class declares, in positional order."""
    return [_argument(name, each) for name, each in declared().fields.items()]


def accepts(task: JobTask) -> str:
    """A sentence that names the task's arguments, for error answers."""
    arguments = ", ".join(f"{each.name} ({_wording(each)})" for each in describe(task).arguments)
    return f"{task.name} takes {arguments or 'no arguments'}."


def as_dict(task: JobTask) -> dict[str, Any]:
    """`describe` as JSON."""
    return asdict(describe(task))


def _registered() -> dict[str, JobTask]:
    tasks: dict[str, Any] = dict(current_app.tasks)
    return {name: task for name, task in tasks.items() if getattr(task, "arguments", None)}


def _argument(name: str, each: Any) -> Argument:
    limits = ("min_value", "max_value", "min_length", "max_length")
    bounds = {limit: value for limit in limits if (value := getattr(each, limit, None)) is not None}
    if isinstance(each, serializers.ChoiceField):
        bounds["choices"] = [str(choice) for choice in each.choices]
    help_text = str(each.help_text or "")
    return Argument(name=name, type=_type_of(each), required=each.required, help=help_text, bounds=bounds)


def _type_of(each: Any) -> str:
    """The declared type; a field class of one's own says it as the attribute `type_name`."""
    declared = getattr(each, "type_name", None)
    return str(declared or next((name for known, name in _TYPES if isinstance(each, known)), "any"))


def _wording(argument: Argument) -> str:
    bounds = [f"{limit.replace('_', ' ')} {value}" for limit, value in argument.bounds.items()]
    return ", ".join([argument.type, *bounds, *([] if argument.required else ["optional"])])
