"""Accepts a picture: the file first, then its row and the job in one transaction. A file without a row is removed."""

from typing import Any

from celery.result import AsyncResult
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from apps.images import pictures
from apps.images.models import Upload
from apps.images.tasks import make_thumbnails
from warren.delivery.ownership import owned_by


def accept(file: "UploadedFile[bytes]", *, owner_id: int | None) -> tuple[Upload, AsyncResult[Any]]:
    """Store the picture and submit the making of its thumbnails. Raises what `pictures.inspect` raises."""
    facts = pictures.inspect(file)
    file.seek(0)
    upload = Upload(
        owner_id=owner_id,  # type: ignore[misc]  # only who is logged in comes here
        format=facts.format,
        bytes=file.size or 0,
        width=facts.width,
        height=facts.height,
    )
    upload.file.save("", file, save=False)
    try:
        with transaction.atomic(), owned_by(owner_id):
            upload.save()
            return upload, make_thumbnails.delay(upload.pk)
    except BaseException:
        upload.file.delete(save=False)
        raise
