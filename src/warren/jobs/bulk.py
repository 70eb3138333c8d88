"""Many jobs at once: which ones a request means, and what it is told."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from rest_framework import serializers

from warren.delivery.models import Job
from warren.jobs import filters, visible
from warren.jobs.filters import JobFilterSerializer

MOST = 1000  # in one request, so that its transaction is short; `more` says when to ask again
LONGEST_REASON = 2000
UNSEEN = "There is no such job that you may see."


class StrictSerializer(serializers.Serializer[Any]):
    """Knows its fields: a misspelt one must not mean "all"."""

    def to_internal_value(self, data: Any) -> Any:
        """Raise `ValidationError` (400) also for fields that there are not."""
        if isinstance(data, Mapping) and (unknown := sorted(set(data) - set(self.fields))):
            known = ", ".join(self.fields)
            raise serializers.ValidationError({name: [f"There is no such field; known: {known}."] for name in unknown})
        return super().to_internal_value(data)


class ReasonSerializer(StrictSerializer):
    """Why, for the job's history."""

    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=LONGEST_REASON)


class FilterSerializer(StrictSerializer, JobFilterSerializer):
    """As in the list of jobs."""


class BulkSerializer(ReasonSerializer):
    """Either ids or a filter."""

    ids = serializers.ListField(
        child=serializers.CharField(max_length=255), allow_empty=False, max_length=MOST, required=False
    )
    filter = FilterSerializer(
        required=False, help_text=f"As in the list of jobs; {{}} is all. At most {MOST} at once, the oldest first."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("ids" in attrs) == ("filter" in attrs):
            raise serializers.ValidationError({"ids": ["Give ids or filter, and not both."]})
        return attrs


class RefusedSerializer(serializers.Serializer[Any]):
    """A job that was left as it was."""

    id = serializers.CharField()
    why = serializers.CharField()


@dataclass(frozen=True)
class Chosen:
    """Ids of jobs, those asked for that the user may not see, and whether a filter matches more than these."""

    ids: list[str]
    refused: dict[str, str] = field(default_factory=dict)
    more: bool = False


def chosen(
    wanted: Mapping[str, Any],
    *,
    user: AbstractBaseUser | AnonymousUser,
    states: Collection[str],
    allowed: Collection[str],
) -> Chosen:
    """The jobs that a validated `BulkSerializer` means.

    A filter that names no state means `states`. Raises `ValidationError` (400) for a state that is not `allowed`.
    """
    jobs = visible.jobs_for(user)
    if "filter" in wanted:
        return matching(jobs, wanted["filter"], states=states, allowed=allowed)
    ids = list(dict.fromkeys(wanted["ids"]))
    seen = set(jobs.filter(pk__in=ids).values_list("pk", flat=True))
    return Chosen([each for each in ids if each in seen], {each: UNSEEN for each in ids if each not in seen})


def matching(
    jobs: QuerySet[Job], wanted: Mapping[str, Any], *, states: Collection[str], allowed: Collection[str]
) -> Chosen:
    """The first `MOST` jobs that a validated filter matches, the oldest first."""
    if "state" in wanted and wanted["state"] not in allowed:
        choices = ", ".join(sorted(allowed))
        raise serializers.ValidationError({"filter.state": [f"{wanted['state']!r} is none of: {choices}."]})
    found = filters.narrowed(jobs, wanted=wanted, states=states)
    # jobs without a message cannot run again: they come last, so that they never fill the first thousand
    unsent = ExpressionWrapper(Q(message=""), output_field=BooleanField())
    ids = list(found.order_by(unsent, "created_at", "pk").values_list("pk", flat=True)[: MOST + 1])
    return Chosen(ids[:MOST], more=len(ids) > MOST)


def refused(*sources: Mapping[str, str]) -> list[dict[str, str]]:
    """Refusals as `RefusedSerializer` has them."""
    return [{"id": job_id, "why": why} for source in sources for job_id, why in source.items()]
