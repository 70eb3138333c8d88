"""How thumbnails are tried in the browser: a file is no task's argument, so it is uploaded first."""

from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import ValidationError

from apps.images import pictures, uploading
from apps.images.serializers import NewUploadSerializer
from apps.images.tasks import make_thumbnails
from warren.try_it.trials import Trial, register


def submit(values: Mapping[str, Any], *, owner_id: int, key: str | None) -> str:
    """Store the picture and submit the task; returns the job's id."""
    try:
        _, result = uploading.accept(values["file"], owner_id=owner_id, key=key)
    except (pictures.NotAPictureError, pictures.TooManyPixelsError) as exc:
        raise ValidationError({"file": [str(exc)]}) from exc
    return str(result.id)


register(
    Trial(
        task=make_thumbnails.name,
        title="Make thumbnails of a picture",
        summary="The queue cpu again; its progress is shown, and the small pictures when they are there.",
        button="Upload it",
        arguments=NewUploadSerializer,
        submit=submit,
        result_template="images/tried.html",
        order=20,
    )
)
