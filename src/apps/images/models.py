"""Pictures that people sent, and the small ones made of them. Web and worker share the files, under MEDIA_ROOT."""

from uuid import uuid4

from django.conf import settings
from django.db import models


class Size(models.TextChoices):
    """The sizes of thumbnails; `EDGES` has their longest edge."""

    LARGE = "large"
    MEDIUM = "medium"
    SMALL = "small"


EDGES: dict[str, int] = {Size.LARGE: 1280, Size.MEDIUM: 480, Size.SMALL: 160}  # pixels


def generated_name(_upload: "Upload", _filename: str) -> str:
    """Where an upload is kept; nothing of what the user called it becomes part of a path."""
    return f"uploads/{uuid4().hex}"


class Upload(models.Model):
    """A picture as it was sent. Width and height are those after the turning that its EXIF data asks for."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads")
    file = models.FileField(upload_to=generated_name)
    format = models.CharField(max_length=8)
    bytes = models.PositiveIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.format} {self.width}x{self.height}"


class Thumbnail(models.Model):
    """A small JPEG of an upload. `file` is a name that the upload and the size determine."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="thumbnails")
    size = models.CharField(max_length=8, choices=Size.choices)
    file = models.FileField()
    bytes = models.PositiveIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["upload", "size"], name="images_one_thumbnail_a_size"),)

    def __str__(self) -> str:
        return f"{self.size} of upload {self.upload_id}"
