"""The filter of a list of jobs, as a form sends it: fields that are left empty are not asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.http import QueryDict

from warren.delivery.states import State
from warren.jobs import callable_tasks
from warren.jobs.filters import JobFilterSerializer

NAMES = ("state", "queue", "task", "search", "created_after", "created_before")


@dataclass(frozen=True, kw_only=True)
class FilterForm:
    """What was typed, and either what it means or why it means nothing."""

    typed: Mapping[str, str]
    wanted: Mapping[str, Any] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def query(self) -> str:
        """The filter as the query of an address."""
        return encoded(self.typed)

    @property
    def states(self) -> list[str]:
        return list(State.values)

    @property
    def queues(self) -> list[str]:
        return [queue.name for queue in settings.CELERY_TASK_QUEUES]

    @property
    def tasks(self) -> list[str]:
        return callable_tasks.names()


def read(query: QueryDict) -> FilterForm:
    """The filter of an address; a field that makes no sense is told of, and then nothing is wanted."""
    given = {name: str(query.get(name, "")).strip() for name in NAMES}
    typed = {name: text for name, text in given.items() if text}
    form = JobFilterSerializer(data=typed)
    if form.is_valid():
        return FilterForm(typed=typed, wanted=form.validated_data)
    return FilterForm(typed=typed, errors={name: " ".join(map(str, why)) for name, why in form.errors.items()})


def encoded(values: Mapping[str, str]) -> str:
    """`state=failed&queue=io`."""
    query = QueryDict(mutable=True)
    query.update(dict(values))
    return query.urlencode()
