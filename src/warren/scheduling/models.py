"""Which of django-celery-beat's entries come from code, and which beat leads."""

from django.db import models
from django_celery_beat.models import PeriodicTask


class CodeEntry(models.Model):
    """Marks an entry that an app's SCHEDULE made: code may change and delete it. Unmarked ones are people's."""

    periodic_task = models.OneToOneField(PeriodicTask, primary_key=True, on_delete=models.CASCADE, related_name="+")

    class Meta:
        db_table = "warren_schedule_code_entry"

    def __str__(self) -> str:
        return f"{self.periodic_task} (from code)"


class ScheduleLeader(models.Model):
    """The one row that says who leads, for people and for followers; the lock decides (`leader.py`).

    `name` is the leader's host name, in Docker its container's id; `backend_pid` its Postgres session.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    name = models.CharField(max_length=255)
    backend_pid = models.IntegerField()
    since = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "warren_schedule_leader"
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="warren_schedule_one_leader"),)

    def __str__(self) -> str:
        return f"{self.name} since {self.since}"
