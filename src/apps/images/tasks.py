"""Thumbnails burn a core, so they are made on cpu, where the files are too."""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

from celery import Task, shared_task
from django.utils import timezone

from apps.images import pictures, thumbnails, tidying
from apps.images.models import EDGES, Upload

# a file is written seconds before its row
GRACE = timedelta(days=1)

log = logging.getLogger(__name__)


@shared_task(queue="cpu", bind=True)
def make_thumbnails(self: "Task[[int], list[dict[str, Any]]]", upload_id: int) -> list[dict[str, Any]]:
    """Make all sizes of an upload, telling how many are done; returns `{size, width, height, bytes, url}` of each."""
    upload = Upload.objects.filter(pk=upload_id).first()
    if upload is None:
        log.info("upload %s is gone; no thumbnails are made", upload_id)
        return []
    made: list[dict[str, Any]] = []
    for shrunk in pictures.shrink(Path(upload.file.path), edges=EDGES):
        made.append(thumbnails.as_dict(thumbnails.store(upload, shrunk=shrunk)))
        self.update_state(state="PROGRESS", meta={"done": len(made), "of": len(EDGES)})
    return made


@shared_task(queue="cpu")
def tidy_pictures() -> dict[str, int]:
    """Delete files without a row and rows without a file; returns how many of each."""
    return tidying.tidy(before=timezone.now() - GRACE)
