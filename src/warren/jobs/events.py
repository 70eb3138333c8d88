"""A job's history, as the API tells it."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from warren.delivery.models import Job, JobEvent
from warren.jobs import failures


class FailureSerializer(serializers.Serializer[Any]):
    """Why a job failed."""

    type = serializers.CharField(help_text="The exception's class.")
    message = serializers.CharField()
    traceback = serializers.CharField()


class EventSerializer(serializers.ModelSerializer[JobEvent]):
    """One thing out of the ordinary that happened to a job, and how the job stood then."""

    kind = serializers.ChoiceField(choices=JobEvent.Kind.choices)
    by = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()

    class Meta:
        model = JobEvent
        fields = (
            "at",
            "kind",
            "by",
            "reason",
            "state",
            "attempt",
            "worker",
            "started_at",
            "finished_at",
            "error",
        )
        read_only_fields = fields

    @extend_schema_field(serializers.CharField(allow_null=True, help_text="Who did it; null for Warren itself."))
    def get_by(self, event: JobEvent) -> str | None:
        if event.actor is None:
            return _label(event.actor_label, request=self.context["request"]) or None
        return _name(event.actor, request=self.context["request"])

    @extend_schema_field(FailureSerializer(allow_null=True))
    def get_error(self, event: JobEvent) -> dict[str, str] | None:
        return failures.of(event)


def history_of(job: Job, *, context: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The job's history, oldest first; one query."""
    events = job.events.select_related("actor").order_by("id")
    return list(EventSerializer(events, many=True, context=dict(context)).data)


def _name(actor: AbstractBaseUser, *, request: Request | None) -> str:
    """Addresses of the staff are not for everybody; without a request it is the command line that asks."""
    if request is None or actor.pk == request.user.pk or request.user.is_staff:
        return actor.get_username()
    return "staff"


def _label(label: str, *, request: Request | None) -> str:
    """Who it was in words: the name in brackets, if there is one, is for the same people as addresses."""
    return label if request is None or request.user.is_staff else label.partition(" (")[0]
