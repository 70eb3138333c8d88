"""What the API says and hears about pictures."""

from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from apps.images.models import Thumbnail, Upload
from warren.jobs.accepted import AcceptedSerializer
from warren.jobs.errors import BodyTooLargeError


class NewUploadSerializer(serializers.Serializer[Any]):
    """A picture to make thumbnails of."""

    file = serializers.FileField(help_text="JPEG, PNG, WebP or GIF.")

    def validate_file(self, value: "UploadedFile[bytes]") -> "UploadedFile[bytes]":
        if (value.size or 0) > settings.UPLOAD_MAX_BYTES:
            raise BodyTooLargeError(limit_bytes=settings.UPLOAD_MAX_BYTES)
        return value


class AcceptedUploadSerializer(AcceptedSerializer):
    """The upload and the task that works on it."""

    id = serializers.IntegerField()


class ThumbnailSerializer(serializers.ModelSerializer[Thumbnail]):
    """A small picture."""

    url = serializers.SerializerMethodField()

    class Meta:
        model = Thumbnail
        fields = ("size", "width", "height", "bytes", "url")

    @extend_schema_field(OpenApiTypes.URI)
    def get_url(self, thumbnail: Thumbnail) -> str:
        return reverse("images-thumbnail", args=[thumbnail.upload_id, thumbnail.size], request=self.context["request"])


class UploadSerializer(serializers.ModelSerializer[Upload]):
    """A picture that was sent, and its thumbnails as far as they are made."""

    thumbnails = ThumbnailSerializer(many=True)

    class Meta:
        model = Upload
        fields = ("id", "format", "bytes", "width", "height", "created_at", "thumbnails")
