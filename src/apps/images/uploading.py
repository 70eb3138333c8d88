"""Accepts a picture: the file first, then its row and the job in one transaction. A file without a row is removed."""

import hashlib
from typing import Any

from celery.result import AsyncResult
from django.core.files.uploadedfile import UploadedFile
from kombu.utils.uuid import uuid

from apps.images import pictures
from apps.images.models import Upload
from apps.images.tasks import make_thumbnails
from warren.delivery import idempotency
from warren.delivery.models import Job
from warren.delivery.ownership import owned_by


def accept(
    file: "UploadedFile[bytes]", *, owner_id: int | None, key: str | None = None
) -> tuple[int, AsyncResult[Any]]:
    """Store the picture and submit the making of its thumbnails, or find what the same picture with this key made.

    Returns the upload's id. Raises what `pictures.inspect` and `idempotency.first_use` raise.
    """
    facts = pictures.inspect(file)
    content = {"picture": _digest(file)} if key else None
    job_id = uuid()
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
        with owned_by(owner_id), idempotency.first_use(key, content=content, job_ids=[job_id]) as [first]:
            if first == job_id:
                upload.save()
                return upload.pk, make_thumbnails.apply_async((upload.pk,), task_id=job_id)
    except BaseException:
        upload.file.delete(save=False)
        raise
    upload.file.delete(save=False)
    return int(Job.objects.get(pk=first).args[0]), idempotency.earlier_result(first)


def _digest(file: "UploadedFile[bytes]") -> str:
    file.seek(0)
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return digest.hexdigest()
