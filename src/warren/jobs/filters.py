"""Which jobs a list shows."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers

from warren.delivery.models import Job
from warren.delivery.states import State, in_states

LOOKUPS = {
    "task": "task",
    "queue": "queue",
    "created_after": "created_at__gt",
    "created_before": "created_at__lt",
}


class JobFilterSerializer(serializers.Serializer[Any]):
    """The query of a list of jobs."""

    state = serializers.ChoiceField(choices=State.choices, required=False)
    task = serializers.CharField(required=False, max_length=255, help_text="The whole name.")
    queue = serializers.CharField(required=False, max_length=255)
    created_after = serializers.DateTimeField(required=False)
    created_before = serializers.DateTimeField(required=False)
    search = serializers.CharField(
        required=False,
        max_length=255,
        help_text="Part of the id, the task's name or the arguments; case does not matter.",
    )


def matching(jobs: QuerySet[Job], *, query: Any) -> QuerySet[Job]:
    """The jobs that the query asks for. Raises `ValidationError` (400) for a query that makes no sense."""
    form = JobFilterSerializer(data=query)
    form.is_valid(raise_exception=True)
    return narrowed(jobs, wanted=form.validated_data)


def narrowed(jobs: QuerySet[Job], *, wanted: Mapping[str, Any], states: Collection[str] | None = None) -> QuerySet[Job]:
    """The jobs that a validated filter matches, in these states if it names none."""
    found = jobs.filter(**{LOOKUPS[name]: value for name, value in wanted.items() if name in LOOKUPS})
    chosen = [wanted["state"]] if "state" in wanted else states
    if chosen is not None:
        found = found.filter(in_states(*chosen))
    return found.filter(_containing(wanted["search"])) if "search" in wanted else found


def _containing(term: str) -> Q:
    in_json = json.dumps(term)[1:-1]  # arguments are JSON, so letters beyond ASCII are escaped there
    return Q(pk__icontains=term) | Q(task__icontains=term) | Q(arguments__icontains=in_json)
