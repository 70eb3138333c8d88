"""What receivers are told, and how that went.

The delivery's id is that of the first job that makes it; it stays the same over attempts and redeliveries, so that a
receiver may know what it has seen. `job` is that whose end is told, `task_id` the job that delivers, the last one.
"""

from django.conf import settings
from django.db import models

from warren.delivery.models import Job


class Delivery(models.Model):
    """One end of a job, to be told to one receiver. `body` is what every attempt sends."""

    id = models.CharField(primary_key=True, max_length=255)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="webhooks")
    event = models.CharField(max_length=32)
    url = models.TextField()  # whole: not to be shown (`callback_urls.shown`)
    body = models.TextField()
    task_id = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("created_at", "id")

    def __str__(self) -> str:
        return f"{self.event} of job {self.job_id}"


class Attempt(models.Model):
    """One call. Without `duration_ms` it is under way, or its worker was lost in it."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    reason = models.TextField(default="")
    duration_ms = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"attempt of delivery {self.delivery_id} at {self.at}: {self.status or self.reason}"


class Redelivery(models.Model):
    """Somebody asked for the call to be made once more."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="redeliveries")
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    task_id = models.CharField(max_length=255)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"redelivery of {self.delivery_id} at {self.at}"
