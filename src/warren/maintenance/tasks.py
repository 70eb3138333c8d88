"""Tidying up, by beat. Each may be called at any time, and twice at once; what one run leaves, the next one takes."""

from datetime import timedelta
from pathlib import Path

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from warren.maintenance import expired, files

# an upload is over within the minutes that a proxy or a browser waits for it
GRACE = timedelta(days=1)


@shared_task(queue="io")
def delete_expired_sessions() -> int:
    """Delete the sessions of people who have not come back; returns how many."""
    return expired.delete_sessions()


@shared_task(queue="io")
def delete_expired_cache_rows() -> int:
    """Delete what the cache, which throttling counts in, no longer looks at; returns how many rows."""
    return expired.delete_cache_rows()


@shared_task(queue="cpu")  # where the files are
def delete_spooled_uploads() -> int:
    """Delete what web had received of uploads when it was killed; returns how many files.

    Web spools bodies to UPLOAD_TEMP_DIR, which is the top of MEDIA_ROOT: no app keeps a file there.
    """
    return files.delete_top_level(Path(settings.MEDIA_ROOT), pattern="*.upload*", before=timezone.now() - GRACE)
