"""The answer of a view that has just handed work to a task: 202, the task's id, and where to ask for the result."""

from typing import Any

from celery.result import AsyncResult
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from warren.delivery import idempotency
from warren.jobs import idempotent


class AcceptedSerializer(serializers.Serializer[Any]):
    """What a client needs to follow the work."""

    task_id = serializers.CharField(help_text="Ask for it at /api/task-result/<task_id>/.")


def accepted(result: AsyncResult[Any], *, request: Request, **fields: Any) -> Response:
    """202 with `{task_id, **fields}` and a Location header that leads to the result.

    Says so if the result is that of an earlier call with the same idempotency key.
    """
    replayed = {idempotent.REPLAYED: "true"} if idempotency.is_replayed(result) else {}
    return Response(
        {"task_id": result.id, **fields},
        status=status.HTTP_202_ACCEPTED,
        headers={"Location": reverse("task-result", args=[result.id], request=request), **replayed},
    )
