"""`/api/jobs/batch/`: submit many jobs at once."""

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from warren.jobs import batch, idempotent
from warren.jobs.schema import IDEMPOTENT, errors
from warren.jobs.serializers import BatchSerializer, SubmittedBatchSerializer
from warren.jobs.submit import Submission

TWO = OpenApiExample(
    "Two jobs",
    value={
        "jobs": [
            {"task": "arithmetic.add", "args": [1, 2]},
            {"task": "arithmetic.add", "kwargs": {"num1": 3, "num2": 4}, "countdown": 60},
        ]
    },
    request_only=True,
)


class BatchView(APIView):
    """Takes many jobs in one request."""

    @extend_schema(
        summary="Submit many jobs, all or none",
        description=(
            f"Up to {batch.MOST_JOBS} jobs in one transaction; much faster than one request for each. The answer has "
            "them in the order of the request. Errors name the job by its index, as in `jobs.3.arguments.num1`. The "
            "body may be as large as for one job (REQUEST_MAX_BYTES): over it, 413."
        ),
        parameters=[IDEMPOTENT],
        request=BatchSerializer,
        responses={202: SubmittedBatchSerializer, **errors(400, 401, 409, 413, 422)},
        examples=[TWO],
    )
    def post(self, request: Request) -> Response:
        key = idempotent.key_of(request)
        form = BatchSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = [Submission(**each) for each in form.validated_data["jobs"]]
        accepted = batch.submit(wanted, owner_id=request.user.pk, now=timezone.now(), key=key)
        body = SubmittedBatchSerializer({"jobs": accepted.jobs}, context={"request": request}).data
        return Response(body, status=status.HTTP_202_ACCEPTED, headers=accepted.headers)
