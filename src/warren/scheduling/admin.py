"""The admin of entries, whose steering goes the way of all steering: recorded, and owned by who does it.

django-celery-beat's own actions write past the record (`QuerySet.update`, `apply_async`), and ask for no right to it.
"""

from typing import Any

from celery.exceptions import QueueNotFound
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django_celery_beat.admin import PeriodicTaskAdmin
from django_celery_beat.models import PeriodicTask

from warren.delivery.errors import DeliveryError
from warren.scheduling import steering
from warren.scheduling.errors import SchedulingError

admin.site.unregister(PeriodicTask)


@admin.register(PeriodicTask)
class EntryAdmin(PeriodicTaskAdmin):  # type: ignore[misc]  # django-celery-beat ships no types
    """Entries of the schedule."""

    @admin.action(description="Enable selected tasks", permissions=["change"])
    def enable_tasks(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> None:
        self._switch(request, {row.pk: True for row in queryset})

    @admin.action(description="Disable selected tasks", permissions=["change"])
    def disable_tasks(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> None:
        self._switch(request, {row.pk: False for row in queryset})

    @admin.action(description="Toggle activity of selected tasks", permissions=["change"])
    def toggle_tasks(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> None:
        self._switch(request, {row.pk: not row.enabled for row in queryset})

    @admin.action(description="Run selected tasks", permissions=["change"])
    def run_tasks(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> None:
        for row in queryset:
            try:
                job_id = steering.run_now(row.pk, by=_who(request))
            except (SchedulingError, DeliveryError, QueueNotFound) as exc:
                self.message_user(request, f"Entry {row.name} was not run: {exc}", level=messages.ERROR)
            else:
                self.message_user(request, f"Entry {row.name} is job {job_id}.")

    def save_model(self, request: HttpRequest, obj: PeriodicTask, form: Any, change: bool) -> None:  # noqa: FBT001  Django's signature
        super().save_model(request, obj, form, change)
        if change and "enabled" in form.changed_data:
            steering.record_switch(obj, by=_who(request))

    def _switch(self, request: HttpRequest, wanted: dict[int, bool]) -> None:
        switched = sum(steering.switch(pk, enabled=enabled, by=_who(request)) for pk, enabled in wanted.items())
        self.message_user(request, f"{switched} of {len(wanted)} switched; beat goes by it within ten seconds.")


def _who(request: HttpRequest) -> int:
    return int(request.user.pk or 0)
