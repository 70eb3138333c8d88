"""`/api/jobs/<id>/webhooks/`: what a job's receiver has been told; everybody sees their own, staff all."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.webhooks import deliveries, history, signing_secrets
from apps.webhooks.errors import NoSecretError, NothingToRepeatError
from apps.webhooks.history import NOBODY
from apps.webhooks.models import Delivery
from apps.webhooks.serializers import SecretsSerializer, WebhooksSerializer
from warren.delivery.models import Job
from warren.jobs import visible
from warren.jobs.errors import NotNowError, UnacceptableError
from warren.jobs.schema import errors


class JobWebhooksView(APIView):
    """The deliveries of one job."""

    @extend_schema(
        summary="See what a job's receiver was told",
        description="Each end of a job that has a callback_url is one delivery, of one attempt or more.",
        responses={200: WebhooksSerializer, **errors(401, 404)},
    )
    def get(self, request: Request, job_id: str) -> Response:
        job = visible.find(job_id, user=request.user)
        return Response(_told_of(job, request))


class RedeliverView(APIView):
    """One delivery, once more."""

    @extend_schema(
        summary="Call a job's receiver once more",
        description="The same body with the same id, signed anew. Who asked for it is recorded.",
        request=None,
        responses={202: WebhooksSerializer, **errors(401, 404, 409)},
    )
    def post(self, request: Request, job_id: str, delivery_id: str) -> Response:
        job = visible.find(job_id, user=request.user)
        delivery = Delivery.objects.filter(job=job, pk=delivery_id).first()
        if delivery is None:
            raise NotFound("The job has no such delivery.")
        try:
            deliveries.repeat(delivery, by_id=int(request.user.pk or 0))
        except NothingToRepeatError as exc:
            raise NotNowError(str(exc)) from exc
        return Response(_told_of(job, request), status=status.HTTP_202_ACCEPTED)


class WebhookSecretView(APIView):
    """The user's own secrets."""

    @extend_schema(
        summary="Get the secret that your calls are signed with",
        responses={200: SecretsSerializer, **errors(401, 422)},
    )
    def get(self, request: Request) -> Response:
        try:
            current, *previous = signing_secrets.of_user(request.user.pk)
        except NoSecretError as exc:
            raise UnacceptableError(str(exc)) from exc
        told = {"current": current, "previous": next(iter(previous), None)}
        return Response(SecretsSerializer(told).data, headers={"Cache-Control": "no-store"})


def _told_of(job: Job, request: Request) -> dict[str, Any]:
    return dict(WebhooksSerializer(history.of(job) or NOBODY, context={"request": request}).data)
