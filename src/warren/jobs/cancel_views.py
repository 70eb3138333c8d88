"""`/api/jobs/…/cancel/`: end jobs from outside."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from warren.delivery.history import Actor
from warren.delivery.states import OPEN
from warren.jobs import bulk, cancel, visible
from warren.jobs.bulk import BulkSerializer, ReasonSerializer, RefusedSerializer
from warren.jobs.cancel import Stops
from warren.jobs.schema import errors
from warren.jobs.serializers import JobSerializer

ALL_WAITING = OpenApiExample(
    "All that wait in a queue",
    value={"filter": {"queue": "io", "state": "queued"}, "reason": "the site is down"},
    request_only=True,
)


class CancelledJobSerializer(JobSerializer):
    """A job that was cancelled just now."""

    stops = serializers.SerializerMethodField(help_text="; ".join(Stops.labels))

    class Meta(JobSerializer.Meta):
        fields = (*JobSerializer.Meta.fields, "stops")
        read_only_fields = fields

    def get_stops(self, _job: Any) -> Stops:
        stops: Stops = self.context["stops"]
        return stops


class CancelledSerializer(serializers.Serializer[Any]):
    """What came of a bulk cancel."""

    cancelled = serializers.IntegerField(help_text="How many.")
    ids = serializers.ListField(child=serializers.CharField(), help_text="Which.")
    stops = serializers.DictField(child=serializers.ChoiceField(choices=Stops.choices), help_text="Id → when.")
    refused = RefusedSerializer(many=True)
    more = serializers.BooleanField(help_text="The filter matches more; ask again.")


class JobCancelView(APIView):
    """Ends one job."""

    @extend_schema(
        summary="Cancel a job",
        description="A waiting job is never started; what a running one returns is ignored. `stops` says when its work "
        "ends: at once where its worker's pool can do that (prefork, gevent, eventlet).",
        request=ReasonSerializer,
        responses={200: CancelledJobSerializer, **errors(400, 401, 404, 409)},
    )
    def post(self, request: Request, job_id: str) -> Response:
        job = visible.find(job_id, user=request.user)
        form = ReasonSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        stops = cancel.cancel(job.pk, by=Actor(user_id=request.user.pk), reason=form.validated_data["reason"])
        job.refresh_from_db()
        return Response(CancelledJobSerializer(job, context={"request": request, "stops": stops}).data)


class JobsCancelView(APIView):
    """Ends many jobs."""

    @extend_schema(
        operation_id="jobs_cancel_many",
        summary="Cancel many jobs",
        description="By ids or by filter, in one transaction. A filter without a state means all that have not ended.",
        request=BulkSerializer,
        responses={200: CancelledSerializer, **errors(400, 401)},
        examples=[ALL_WAITING],
    )
    def post(self, request: Request) -> Response:
        form = BulkSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        chosen = bulk.chosen(form.validated_data, user=request.user, states=OPEN, allowed=OPEN)
        by = Actor(user_id=request.user.pk)
        outcome = cancel.cancel_all(chosen.ids, by=by, reason=form.validated_data["reason"])
        answer = {
            "cancelled": len(outcome.cancelled),
            "ids": list(outcome.cancelled),
            "stops": outcome.cancelled,
            "refused": bulk.refused(chosen.refused, outcome.refused),
            "more": chosen.more,
        }
        return Response(CancelledSerializer(answer).data)
