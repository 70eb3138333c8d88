"""Accepts addresses to fetch."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.fetching.serializers import FetchingArguments
from apps.fetching.tasks import fetch_urls
from warren.delivery.ownership import owned_by
from warren.jobs.accepted import AcceptedSerializer, accepted
from warren.jobs.idempotent import key_of
from warren.jobs.schema import IDEMPOTENT, errors


class FetchView(APIView):
    """Fetches addresses in the background."""

    @extend_schema(
        summary="Fetch web addresses",
        request=FetchingArguments,
        parameters=[IDEMPOTENT],
        responses={202: AcceptedSerializer, **errors(400, 401, 409, 413)},
    )
    def post(self, request: Request) -> Response:
        form = FetchingArguments(data=request.data)
        form.is_valid(raise_exception=True)
        with owned_by(request.user.pk):
            result = fetch_urls.apply_async(kwargs=form.validated_data, idempotency_key=key_of(request))
        return accepted(result, request=request)
