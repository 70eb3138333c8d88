"""Reports that were made. Web and worker-cpu share the files, under MEDIA_ROOT."""

from django.conf import settings
from django.db import models


class Kind(models.TextChoices):
    """What a report is written as."""

    CSV = "csv", "CSV"
    PDF = "pdf", "PDF"


class Report(models.Model):
    """A report's whole file. Its id is that of the job that made it, and it lives no longer than that job's row."""

    id = models.CharField(primary_key=True, max_length=255)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reports", db_index=False
    )
    kind = models.CharField(max_length=8, choices=Kind.choices)
    start = models.DateTimeField()
    end = models.DateTimeField()
    file = models.FileField()
    bytes = models.PositiveBigIntegerField()
    rows = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (models.Index(fields=["owner", "-created_at", "-id"], name="reports_of_owner"),)

    def __str__(self) -> str:
        return f"{self.kind} of {self.rows} jobs from {self.start} to {self.end}"
