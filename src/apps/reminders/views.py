"""Sets, lists and cancels reminders: one's own, and nobody else's, staff's neither; the admin is for that."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.reminders import keeping, ticking
from apps.reminders.models import Reminder
from apps.reminders.serializers import ReminderSerializer
from warren.jobs.errors import NotNowError, UnacceptableError
from warren.jobs.schema import errors


class RemindersView(GenericAPIView[Reminder]):
    """One's own reminders."""

    serializer_class = ReminderSerializer

    @extend_schema(
        summary="Set a reminder",
        description=(
            f"Up to {keeping.MOST_ACTIVE} of them, and {ticking.MOST_A_DAY} mails a day. The same one, sent again "
            "while it is active, is the first one: 200."
        ),
        responses={201: ReminderSerializer, 200: ReminderSerializer, **errors(400, 401, 413, 422)},
    )
    def post(self, request: Request) -> Response:
        form = ReminderSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given = dict(form.validated_data)
        at = given.pop("at")
        user: Any = request.user  # whom the view has let in
        wanted = Reminder(owner_id=user.pk, day=at.date(), time=at.time(), **given)
        try:
            reminder, is_new = keeping.keep(wanted, now=timezone.now())
        except keeping.PastError as exc:
            raise UnacceptableError({"at": [str(exc)]}) from exc
        except keeping.TooManyError as exc:
            raise UnacceptableError({"non_field_errors": [str(exc)]}) from exc
        body = ReminderSerializer(reminder).data
        return Response(body, status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)

    @extend_schema(
        summary="List your reminders, newest first", responses={200: ReminderSerializer(many=True), **errors(401, 404)}
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(own(request))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class ReminderView(APIView):
    """One reminder."""

    @extend_schema(summary="Look at a reminder", responses={200: ReminderSerializer, **errors(401, 404)})
    def get(self, request: Request, reminder_id: int) -> Response:
        return Response(ReminderSerializer(find(reminder_id, request=request)).data)


class ReminderCancelView(APIView):
    """Cancels one reminder."""

    @extend_schema(
        summary="Cancel a reminder", request=None, responses={200: ReminderSerializer, **errors(401, 404, 409)}
    )
    def post(self, request: Request, reminder_id: int) -> Response:
        reminder = find(reminder_id, request=request)
        if not keeping.cancel(reminder):
            raise NotNowError("It is not due any more: it has been sent, or was cancelled before.")
        return Response(ReminderSerializer(find(reminder_id, request=request)).data)


def find(reminder_id: int, *, request: Request) -> Reminder:
    """The reminder. Raises `NotFound` (404) for unknown ids and for other people's."""
    reminder = own(request).filter(pk=reminder_id).first()
    if reminder is None:
        raise NotFound(f"You have no reminder {reminder_id}.")
    return reminder


def own(request: Request) -> QuerySet[Reminder]:
    """The reminders of the request's user."""
    return Reminder.objects.filter(owner_id=request.user.pk).prefetch_related("occurrences")
