"""What can be tried in the browser: every task that declares `arguments`, with no more said.

An app may say more of a task in its `try_it.py`: how to call it in words, what to begin with, how its result looks; or
how to submit work that takes a file, which no task's arguments can hold.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from rest_framework import serializers

from warren.jobs import callable_tasks

NOT_FEATURED = 1000


class Submit(Protocol):
    """Accepts work on behalf of a user; returns the job's id, the earlier one's if the key has been used for the same.

    Raises DRF's `APIException`; its detail says which field is wrong.
    """

    def __call__(self, values: Mapping[str, Any], *, owner_id: int, key: str | None) -> str: ...


def _nothing(_now: datetime) -> dict[str, Any]:
    return {}


def _as_it_is(result: Any) -> dict[str, Any]:
    return {"result": result}


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A form, what becomes of it, and how the result looks.

    `arguments` and `submit` belong together: without them they are the task's own. `initial` are texts by field, for
    this moment. `present` makes the result template's context of what the task returned. Featured ones come first, by
    `order`, with their form on the first page.
    """

    task: str
    title: str
    summary: str = ""
    button: str = "Run it"
    arguments: type[serializers.Serializer[Any]] | None = None
    submit: Submit | None = None
    initial: Callable[[datetime], Mapping[str, Any]] = _nothing
    result_template: str = "try_it/result.html"
    present: Callable[[Any], dict[str, Any]] = _as_it_is
    order: int = field(default=NOT_FEATURED)

    @property
    def is_featured(self) -> bool:
        return self.order < NOT_FEATURED

    @property
    def fields(self) -> list[callable_tasks.Argument]:
        """What its form asks for."""
        declared: Any = self.arguments or callable_tasks.find(self.task).arguments
        return callable_tasks.arguments_of(declared)

    def serializer(self, values: Mapping[str, Any]) -> serializers.Serializer[Any]:
        """What judges the values that were given."""
        declared: Any = self.arguments or callable_tasks.find(self.task).arguments
        return declared(data=values)  # type: ignore[no-any-return]  # a serializer, whoever declared it


_registered: dict[str, Trial] = {}


def register(trial: Trial) -> None:
    """Say more of a task. Raises `ValueError` for the second one of the same task."""
    if trial.task in _registered:
        raise ValueError(f"task {trial.task!r} is registered to be tried already; each has one form")
    if (trial.arguments is None) != (trial.submit is None):
        raise ValueError(f"task {trial.task!r}: give arguments and submit, or neither")
    _registered[trial.task] = trial


def everything() -> list[Trial]:
    """All that can be tried, featured ones first."""
    plain = [_plain(name) for name in callable_tasks.names() if name not in _registered]
    return sorted([*_registered.values(), *plain], key=lambda each: (each.order, each.title))


def find(task: str) -> Trial | None:
    """The trial of this task; None if there is none."""
    return _registered.get(task) or (_plain(task) if task in callable_tasks.names() else None)


def _plain(name: str) -> Trial:
    summary, _, _ = callable_tasks.describe(callable_tasks.find(name)).description.partition("\n")
    return Trial(task=name, title=name, summary=summary)
