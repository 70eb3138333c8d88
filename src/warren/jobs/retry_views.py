"""`/api/jobs/…/retry/`: run jobs again that ended without success."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from warren.delivery import retry
from warren.delivery.history import Actor
from warren.delivery.states import State
from warren.jobs import bulk, visible
from warren.jobs.bulk import BulkSerializer, ReasonSerializer, RefusedSerializer
from warren.jobs.errors import NotNowError
from warren.jobs.schema import errors
from warren.jobs.serializers import JobSerializer

# what a filter means that names no state: what somebody cancelled or let expire was meant to end
UNLESS_SAID = (State.FAILED, State.DEAD)

ALL_DEAD = OpenApiExample(
    "All dead jobs of a task",
    value={"filter": {"state": "dead", "task": "images.make_thumbnails"}, "reason": "more memory"},
    request_only=True,
)


class RetriedSerializer(serializers.Serializer[Any]):
    """What came of a bulk retry."""

    retried = serializers.IntegerField(help_text="How many wait to run again.")
    ids = serializers.ListField(child=serializers.CharField(), help_text="Which.")
    refused = RefusedSerializer(many=True)
    more = serializers.BooleanField(help_text="The filter matches more; ask again.")


class JobRetryView(APIView):
    """Runs one job again."""

    @extend_schema(
        summary="Retry a job",
        description="For a job that is failed, dead, cancelled or expired. Its attempts count on, its history keeps "
        "how it had ended, and the chain or chord around it goes on when it succeeds.",
        request=ReasonSerializer,
        responses={200: JobSerializer, **errors(400, 401, 404, 409)},
    )
    def post(self, request: Request, job_id: str) -> Response:
        job = visible.find(job_id, user=request.user)
        form = ReasonSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        outcome = retry.retry([job.pk], by=Actor(user_id=request.user.pk), reason=form.validated_data["reason"])
        if outcome.refused:
            raise NotNowError(outcome.refused[job.pk])
        job.refresh_from_db()
        return Response(JobSerializer(job, context={"request": request}).data)


class JobsRetryView(APIView):
    """Runs many jobs again."""

    @extend_schema(
        operation_id="jobs_retry_many",
        summary="Retry many jobs",
        description="By ids or by filter, in one transaction. A filter without a state means failed and dead jobs.",
        request=BulkSerializer,
        responses={200: RetriedSerializer, **errors(400, 401)},
        examples=[ALL_DEAD],
    )
    def post(self, request: Request) -> Response:
        form = BulkSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        chosen = bulk.chosen(form.validated_data, user=request.user, states=UNLESS_SAID, allowed=retry.RETRYABLE)
        by = Actor(user_id=request.user.pk)
        outcome = retry.retry(chosen.ids, by=by, reason=form.validated_data["reason"])
        answer = {
            "retried": len(outcome.retried),
            "ids": outcome.retried,
            "refused": bulk.refused(chosen.refused, outcome.refused),
            "more": chosen.more,
        }
        return Response(RetriedSerializer(answer).data)
