"""Which of django-celery-beat's entries come from code."""

from django.db import models
from django_celery_beat.models import PeriodicTask


class CodeEntry(models.Model):
    """Marks an entry that an app's SCHEDULE made: code may change and delete it. Unmarked ones are people's."""

    periodic_task = models.OneToOneField(PeriodicTask, primary_key=True, on_delete=models.CASCADE, related_name="+")

    class Meta:
        db_table = "warren_schedule_code_entry"

    def __str__(self) -> str:
        return f"{self.periodic_task} (from code)"
