"""Brings the pictures' files and rows into agreement."""

from collections.abc import Collection
from datetime import datetime

from apps.images.models import Thumbnail, Upload
from warren.maintenance import files


def tidy(*, before: datetime) -> dict[str, int]:
    """Delete files without a row, and rows without a file, of before that moment; returns how many of each.

    An upload whose file is gone takes its thumbnails along.
    """
    return {
        "uploads": _delete_lost(Upload, before),
        "thumbnails": _delete_lost(Thumbnail, before),
        "upload_files": files.delete_unknown("uploads", known=_uploads, before=before),
        "thumbnail_files": files.delete_unknown("thumbnails", known=_thumbnails, before=before),
    }


def _delete_lost(model: type[Upload | Thumbnail], before: datetime) -> int:
    field = "created_at" if model is Upload else "upload__created_at"
    lost = files.rows_without(model.objects.filter(**{f"{field}__lt": before}))
    return files.delete_rows(model.objects.all(), keys=lost)


def _uploads(names: Collection[str]) -> Collection[str]:
    return set(Upload.objects.filter(file__in=names).values_list("file", flat=True))


def _thumbnails(names: Collection[str]) -> Collection[str]:
    return set(Thumbnail.objects.filter(file__in=names).values_list("file", flat=True))
