"""What people want to be reminded of, and each time that they were."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class Repeat(models.TextChoices):
    """How often."""

    ONCE = "once"
    DAILY = "daily"
    WEEKLY = "weekly"


class Reminder(models.Model):
    """A text for its owner's own address, at a time on the clock of the wall in `time_zone`.

    `next_at` is when it is due next; null when there is no more: it was for once and has been, or it was cancelled.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reminders")
    text = models.CharField(max_length=500)
    day = models.DateField(help_text="The first one.")
    time = models.TimeField()
    time_zone = models.CharField(max_length=64)
    repeat = models.CharField(max_length=8, choices=Repeat.choices, default=Repeat.ONCE)
    next_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (models.Index(fields=["next_at"], name="reminders_due", condition=models.Q(next_at__isnull=False)),)

    def __str__(self) -> str:
        return f"{self.repeat} from {self.day} {self.time} {self.time_zone}"

    @property
    def at(self) -> datetime:
        """The first time, on the wall's clock."""
        return datetime.combine(self.day, self.time)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class Occurrence(models.Model):
    """One time that a reminder was due: one row, and so one mail."""

    class State(models.TextChoices):
        SENDING = "sending"  # its mail is a job
        SENT = "sent"
        SKIPPED = "skipped"  # `why` says why

    reminder = models.ForeignKey(Reminder, on_delete=models.CASCADE, related_name="occurrences", db_index=False)
    due_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.SENDING)
    why = models.CharField(max_length=255, default="")
    made_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-due_at",)
        constraints = (models.UniqueConstraint(fields=["reminder", "due_at"], name="reminders_one_for_each_time"),)
        indexes = (models.Index(fields=["made_at"], name="reminders_made"),)

    def __str__(self) -> str:
        return f"reminder {self.reminder_id} at {self.due_at}"
