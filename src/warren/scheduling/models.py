"""Which of django-celery-beat's entries come from code, which beat leads, and what people did to entries."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
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


class ScheduleEvent(models.Model):
    """What a person did to an entry; `steering.py` writes it, nobody changes it.

    `name` is the entry's at that moment: the record outlives the entry. `job_id` is the job that a run became.
    """

    class Kind(models.TextChoices):
        ENABLED = "enabled"
        DISABLED = "disabled"
        RUN = "run"

    periodic_task = models.ForeignKey(PeriodicTask, null=True, on_delete=models.SET_NULL, related_name="+")
    name = models.CharField(max_length=200)
    at = models.DateTimeField(db_default=Now())
    kind = models.CharField(max_length=16, choices=Kind.choices)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    job_id = models.CharField(max_length=255, default="")

    class Meta:
        db_table = "warren_schedule_event"
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.name} {self.kind} at {self.at}"
