"""`/api/jobs/<id>/events/` and `/api/jobs/events/`: who may follow what, and how the stream begins.

These views answer like any other. What they write into the request's scope lets `streams.py` go on where the answer
ends; where that is not there (a WSGI server, Django's test client) the stream ends and its reader opens the next, which
is to poll.
"""

from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from warren.jobs import visible
from warren.jobs.live import sse
from warren.jobs.live.follower import Event, Kind
from warren.jobs.live.following import Following
from warren.jobs.live.snapshots import Snapshot
from warren.jobs.schema import errors

SCOPE_KEY = "warren.following"
SEEN = OpenApiParameter(
    "Last-Event-ID", location=OpenApiParameter.HEADER, description="The last event's id: that state is not sent again."
)
EVENTS = "Events are `job` (data is the job as /api/jobs/<id>/ shows it, without args, kwargs, result and history), "


class ErrorsAsJSON(BaseContentNegotiation):
    """A browser's EventSource accepts nothing but event streams; errors are JSON nevertheless."""

    def select_parser(self, _request: Request, parsers: Iterable[Any]) -> Any:
        return next(iter(parsers))

    def select_renderer(
        self, _request: Request, renderers: Iterable[BaseRenderer], _format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


class JobEventsView(APIView):
    """The stream of one job."""

    content_negotiation_class = ErrorsAsJSON

    @extend_schema(
        operation_id="jobs_follow_one",
        summary="Follow a job",
        description=f"{EVENTS}`end` after the final state and `reconnect` when the server restarts.",
        parameters=[SEEN],
        responses={(200, sse.MEDIA_TYPE): OpenApiTypes.STR, 204: None, **errors(401, 404, 429)},
    )
    def get(self, request: Request, job_id: str) -> HttpResponse:
        snapshot = Snapshot(visible.find(job_id, user=request.user))
        seen = request.headers.get("Last-Event-ID", "")
        if snapshot.is_final:
            if seen == snapshot.version:
                # the one answer after which a browser does not come again
                return HttpResponse(status=status.HTTP_204_NO_CONTENT)
        else:
            _follow(request, Following.by(request, job_id=job_id, seen=snapshot.version))
        return sse.response(sse.opening(snapshot, seen=seen))


class ListQuerySerializer(serializers.Serializer[Any]):
    """The query of the stream of a list."""

    all = serializers.BooleanField(default=False, help_text="Everybody's jobs; staff only.")


class JobsEventsView(APIView):
    """The stream of a list of jobs."""

    content_negotiation_class = ErrorsAsJSON

    @extend_schema(
        operation_id="jobs_follow",
        summary="Follow one's own jobs",
        description=f"{EVENTS}`reload` (load the list: at first, and when changes may be missing) and `reconnect`.",
        parameters=[ListQuerySerializer],
        responses={(200, sse.MEDIA_TYPE): OpenApiTypes.STR, **errors(400, 401, 403, 429)},
    )
    def get(self, request: Request) -> HttpResponse:
        query = ListQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        user: Any = request.user  # whom the view has let in
        if query.validated_data["all"] and not user.is_staff:
            raise PermissionDenied("Only staff may follow everybody's jobs; without all=true you follow your own.")
        owner_id = None if query.validated_data["all"] else user.pk
        goes_on = _follow(request, Following.by(request, owner_id=owner_id))
        return sse.response(sse.opening(None, seen="") + (b"" if goes_on else sse.write(Event(Kind.RELOAD))))


def _follow(request: Request, following: Following) -> bool:
    scope = getattr(request, "scope", None)
    if scope is None:
        return False
    scope[SCOPE_KEY] = following
    return True
