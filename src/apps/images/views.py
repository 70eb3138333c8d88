"""Takes pictures and gives out thumbnails; everybody sees their own, staff all."""

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.images import pictures, uploading
from apps.images.models import Thumbnail, Upload
from apps.images.serializers import AcceptedUploadSerializer, NewUploadSerializer, UploadSerializer
from warren.jobs.accepted import accepted
from warren.jobs.bodies import announced_bytes
from warren.jobs.errors import BodyTooLargeError, UnacceptableError
from warren.jobs.idempotent import key_of
from warren.jobs.schema import IDEMPOTENT, errors

WRAPPING_BYTES = 10_000  # what multipart adds around the file, generously


class UploadsView(APIView):
    """Takes pictures."""

    parser_classes = (MultiPartParser,)

    @extend_schema(
        summary="Upload a picture to make thumbnails of",
        parameters=[IDEMPOTENT],
        request={"multipart/form-data": NewUploadSerializer},
        responses={202: AcceptedUploadSerializer, **errors(400, 401, 409, 413, 422)},
    )
    def post(self, request: Request) -> Response:
        if announced_bytes({"request": request}) > settings.UPLOAD_MAX_BYTES + WRAPPING_BYTES:
            raise BodyTooLargeError(limit_bytes=settings.UPLOAD_MAX_BYTES)
        key = key_of(request)
        form = NewUploadSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            upload_id, result = uploading.accept(form.validated_data["file"], owner_id=request.user.pk, key=key)
        except pictures.NotAPictureError as exc:
            raise ValidationError({"file": [str(exc)]}) from exc
        except pictures.TooManyPixelsError as exc:
            raise UnacceptableError({"file": [str(exc)]}) from exc
        return accepted(result, request=request, id=upload_id)


class UploadView(APIView):
    """One picture."""

    @extend_schema(summary="Look at an upload", responses={200: UploadSerializer, **errors(401, 404)})
    def get(self, request: Request, upload_id: int) -> Response:
        upload = uploads_for(request).prefetch_related("thumbnails").filter(pk=upload_id).first()
        if upload is None:
            raise NotFound(f"There is no upload {upload_id} that you may see.")
        return Response(UploadSerializer(upload, context={"request": request}).data)


class ThumbnailView(APIView):
    """One thumbnail's file."""

    @extend_schema(
        summary="Download a thumbnail", responses={(200, "image/jpeg"): OpenApiTypes.BINARY, **errors(401, 404)}
    )
    def get(self, request: Request, upload_id: int, size: str) -> HttpResponse:
        owned = uploads_for(request).filter(pk=upload_id)
        thumbnail = Thumbnail.objects.filter(upload__in=owned, size=size).first()
        if thumbnail is None:
            raise NotFound(f"Upload {upload_id} has no thumbnail {size!r} that you may see, or not yet.")
        headers = {"Cache-Control": "private, no-store"}  # it outlives neither the login nor the picture
        with thumbnail.file.open() as file:  # small, so not streamed
            return HttpResponse(file.read(), content_type="image/jpeg", headers=headers)


def uploads_for(request: Request) -> QuerySet[Upload]:
    """The uploads that the request's user may see."""
    everything = Upload.objects.all()
    return everything if request.user.is_staff else everything.filter(owner_id=request.user.pk)
