"""`/api/jobs/`: submit, list and look at jobs."""

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from warren.delivery.models import Job
from warren.jobs import filters, idempotent, visible
from warren.jobs.schema import IDEMPOTENT, errors
from warren.jobs.serializers import (
    JobSerializer,
    JobSummarySerializer,
    SubmissionSerializer,
    SubmittedSerializer,
)
from warren.jobs.submit import Submission, submit

IN_A_MINUTE = OpenApiExample(
    "Add two numbers in a minute",
    value={"task": "arithmetic.add", "kwargs": {"num1": 1, "num2": 2}, "countdown": 60},
    request_only=True,
)


class JobsView(GenericAPIView[Job]):
    """The jobs that the user may see."""

    serializer_class = JobSummarySerializer

    @extend_schema(
        summary="List jobs, newest first",
        description="One's own jobs; staff see all. Filters may be combined.",
        parameters=[filters.JobFilterSerializer],
        responses={200: JobSummarySerializer(many=True), **errors(400, 401, 404)},
    )
    def get(self, request: Request) -> Response:
        jobs = filters.matching(visible.jobs_for(request.user), query=request.query_params)
        page = self.paginate_queryset(jobs.defer("arguments", "result", "progress", "traceback"))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        summary="Submit a job",
        description="Accepted means: it will reach a final state. /api/tasks/ lists what can be called.",
        parameters=[IDEMPOTENT],
        request=SubmissionSerializer,
        responses={202: SubmittedSerializer, **errors(400, 401, 409, 413, 422)},
        examples=[IN_A_MINUTE],
    )
    def post(self, request: Request) -> Response:
        key = idempotent.key_of(request)
        form = SubmissionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = Submission(**form.validated_data)
        accepted = submit(wanted, owner_id=request.user.pk, now=timezone.now(), key=key)
        [job] = accepted.jobs
        body = SubmittedSerializer(job, context={"request": request}).data
        location = reverse("job", args=[job.pk], request=request)
        return Response(body, status=status.HTTP_202_ACCEPTED, headers={"Location": location, **accepted.headers})


class JobView(APIView):
    """One job."""

    @extend_schema(summary="Look at a job", responses={200: JobSerializer, **errors(401, 404)})
    def get(self, request: Request, job_id: str) -> Response:
        job = visible.find(job_id, user=request.user)
        return Response(JobSerializer(job, context={"request": request}).data)
