"""Stores thumbnails, so that doing it twice leaves what doing it once leaves."""

from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage
from django.urls import reverse

from apps.images.models import Thumbnail, Upload
from apps.images.pictures import Shrunk


def store(upload: Upload, *, shrunk: Shrunk) -> Thumbnail:
    """Write the file, then its row; both replace what an earlier run left."""
    name = f"thumbnails/{upload.pk}/{shrunk.size}.jpg"
    _replace(Path(default_storage.path(name)), shrunk.data)
    values = {"file": name, "bytes": len(shrunk.data), "width": shrunk.width, "height": shrunk.height}
    thumbnail, _ = Thumbnail.objects.update_or_create(upload=upload, size=shrunk.size, defaults=values)
    return thumbnail


def as_dict(thumbnail: Thumbnail) -> dict[str, Any]:
    """The thumbnail as JSON: `{size, width, height, bytes, url}`; the url is a path on this site."""
    return {
        "size": thumbnail.size,
        "width": thumbnail.width,
        "height": thumbnail.height,
        "bytes": thumbnail.bytes,
        "url": reverse("images-thumbnail", args=[thumbnail.upload_id, thumbnail.size]),
    }


def _replace(path: Path, data: bytes) -> None:
    """All at once: a reader sees the old file or the new one, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(data)
    part.replace(path)
